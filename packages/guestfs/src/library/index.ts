import { contentFunctions } from "./content.ts";
import { copyFunctions } from "./copy.ts";
import { credentialFunctions } from "./credentials.ts";
import { diskImageFunctions } from "./disk-image.ts";
import { driveFunctions } from "./drives.ts";
import { featureFunctions } from "./features.ts";
import { inspectFunctions } from "./inspect.ts";
import type { LibraryFunctions } from "./library.ts";
import { lifecycleFunctions } from "./lifecycle.ts";
import { listingFunctions } from "./listing.ts";
import { localMountFunctions } from "./local-mount.ts";
import { mountableFunctions } from "./mountables.ts";
import { recordFunctions } from "./records.ts";
import { settingFunctions } from "./settings.ts";

/** Every method that the library answers by itself or composes of others: one that is missing does not compile. */
export const library: LibraryFunctions = {
  ...contentFunctions,
  ...copyFunctions,
  ...credentialFunctions,
  ...diskImageFunctions,
  ...driveFunctions,
  ...featureFunctions,
  ...inspectFunctions,
  ...lifecycleFunctions,
  ...listingFunctions,
  ...localMountFunctions,
  ...mountableFunctions,
  ...recordFunctions,
  ...settingFunctions,
};
