// Declaring a seed
export { defineSeed, type Seed, type SeedDatabase, type SeedKind } from "./seed.ts";

// Running them
export {
  type RanSeed,
  type RunSeedsOptions,
  runSeeds,
  SEED_WAIT_MS_DEFAULT,
  type SeedProgress,
} from "./run-seeds.ts";

// The folder
export { listSeedFiles, seedOf } from "./seed-files.ts";
