import { CallSite } from "../errors/index.ts";

/** Runs what begins at once, with the line that called in what it rejects with. */
export async function signed<T>(work: (site: CallSite) => Promise<T>): Promise<T> {
  const site = new CallSite();
  try {
    return await work(site);
  } catch (error) {
    site.sign(error);
    throw error;
  }
}
