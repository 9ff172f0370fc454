import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The links of a Markdown text, outside code. */
export function linksOf(markdown: string): string[] {
  const prose = markdown.replace(/^```[\s\S]*?^```/gm, "").replace(/`[^`\n]*`/g, "");
  return [...prose.matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
}

/** The anchors a repository host gives the headings of a Markdown text. */
export function anchorsOf(markdown: string): string[] {
  const prose = markdown.replace(/^```[\s\S]*?^```/gm, "");
  return [...prose.matchAll(/^#{1,6} +(.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replace(/\s/g, "-"),
  );
}

/** The links of `path` (below `root`) that lead nowhere in the repository. Addresses of the web are not followed. */
export function brokenLinks(root: string, path: string): string[] {
  return linksOf(readFileSync(join(root, path), "utf8"))
    .filter((link) => !/^(?:https?|mailto):/.test(link))
    .filter((link) => {
      const [target = "", anchor] = link.split("#");
      const file = target === "" ? join(root, path) : join(root, dirname(path), target);
      if (!existsSync(file)) return true;
      return anchor !== undefined && !anchorsOf(readFileSync(file, "utf8")).includes(anchor);
    })
    .map((link) => `${path}: ${link}`);
}
