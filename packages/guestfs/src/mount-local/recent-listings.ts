import type { FolderListing } from "./folder-listing.ts";

/** How many folders are remembered. */
const most = 16;

/** Listings that were read a moment ago: whoever lists a folder goes on to ask for each of its files. */
export class RecentListings {
  readonly #listings = new Map<string, { readonly listing: FolderListing; readonly until: number }>();
  readonly #milliseconds: number;

  /** @param validFor - how long a listing may be believed, in seconds */
  constructor(validFor: number) {
    this.#milliseconds = validFor * 1000;
  }

  add(listing: FolderListing): void {
    this.#listings.delete(listing.path);
    this.#listings.set(listing.path, { listing, until: Date.now() + this.#milliseconds });
    if (this.#listings.size <= most) return;
    const [oldest] = this.#listings.keys();
    if (oldest !== undefined) this.#listings.delete(oldest);
  }

  /** The listing of a folder; `undefined` when there is none, or it is too old. */
  find(folder: string): FolderListing | undefined {
    const found = this.#listings.get(folder);
    if (found && found.until >= Date.now()) return found.listing;
    this.#listings.delete(folder);
    return undefined;
  }

  /** Something was changed. */
  clear(): void {
    this.#listings.clear();
  }
}
