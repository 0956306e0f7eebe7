import { decodeText, encodeText } from "@guestfs/protocol";
import type { Statns } from "@guestfs/schema";
import type { GuestfsApi } from "../gen/api.ts";
import { Nodes } from "../fuse/nodes.ts";
import { attributesReply, countReply, entryReply, ListingReply, openReply } from "../fuse/reply.ts";
import type { Attributes } from "../fuse/reply.ts";
import { operation } from "../fuse/request.ts";
import type { FuseRequest } from "../fuse/request.ts";
import { FuseError } from "../fuse/session.ts";
import { FolderListing } from "./folder-listing.ts";
import { RecentListings } from "./recent-listings.ts";

/** How the files of a machine are shown. */
export interface FilesystemOptions {
  readonly readOnly: boolean;
  /** How long the kernel may believe what it was told of a file, in seconds. */
  readonly validFor: number;
  /** Owner, group and mask of the mode that all files have, instead of their own. */
  readonly uid?: number;
  readonly gid?: number;
  readonly umask?: number;
}

/** Bits of SETATTR's `valid` (linux/fuse.h). */
const set = { mode: 1, uid: 2, gid: 4, size: 8, atime: 16, mtime: 32, atimeNow: 128, mtimeNow: 256 };
/** utimens(2)'s numbers for "now" and "leave it", which go through as they are; the daemon takes -1 and -2. */
const time = { now: -1, keep: -2 };
const openTruncate = 0o1000;
const openExclusive = 0o200;
const typeMask = 0o170000;
const none = new Uint8Array(0);

type Operation = (request: FuseRequest, signal: AbortSignal) => Promise<Uint8Array | undefined>;

function child(folder: string, name: string): string {
  return folder === "/" ? `/${name}` : `${folder}/${name}`;
}

/** The files of a machine as the kernel asks for them: each request is one call of the daemon or a few. */
export class GuestFilesystem {
  readonly #g: GuestfsApi;
  readonly #options: FilesystemOptions;
  readonly #nodes = new Nodes();
  readonly #listings = new Map<number, FolderListing>();
  readonly #operations: ReadonlyMap<number, Operation>;
  readonly #recent: RecentListings;
  #lastHandle = 0;

  constructor(g: GuestfsApi, options: FilesystemOptions) {
    this.#g = g;
    this.#options = options;
    this.#recent = new RecentListings(options.validFor);
    const changing = (work: Operation): Operation =>
      options.readOnly
        ? () => this.#refuse()
        : (request, signal) => {
            this.#recent.clear();
            return work(request, signal);
          };
    this.#operations = new Map<number, Operation>([
      [operation.lookup, (request, signal) => this.#lookup(request, signal)],
      [operation.forget, (request) => this.#forget(request)],
      [operation.batchForget, (request) => this.#batchForget(request)],
      [operation.getattr, (request, signal) => this.#getattr(request.node, signal)],
      [operation.setattr, changing((request, signal) => this.#setattr(request, signal))],
      [
        operation.readlink,
        async (request, signal) => encodeText(await this.#g.readlink(this.#path(request.node), { signal })),
      ],
      [operation.symlink, changing((request, signal) => this.#symlink(request, signal))],
      [operation.mknod, changing((request, signal) => this.#mknod(request, signal))],
      [operation.mkdir, changing((request, signal) => this.#mkdir(request, signal))],
      [operation.unlink, changing((request, signal) => this.#unlink(request, signal))],
      [operation.rmdir, changing((request, signal) => this.#rmdir(request, signal))],
      [operation.rename, changing((request) => this.#rename(request, request.uint64(), 0))],
      [operation.rename2, changing((request) => this.#rename2(request))],
      [operation.link, changing((request, signal) => this.#link(request, signal))],
      [operation.open, (request, signal) => this.#open(request, signal)],
      [operation.create, changing((request, signal) => this.#create(request, signal))],
      [operation.read, (request, signal) => this.#read(request, signal)],
      [operation.write, changing((request, signal) => this.#write(request, signal))],
      [operation.release, (request) => this.#release(request)],
      [operation.flush, () => Promise.resolve(none)],
      [operation.fsync, () => this.#sync()],
      [operation.fsyncdir, () => this.#sync()],
      [operation.opendir, (request, signal) => this.#opendir(request, signal)],
      [operation.readdir, (request, signal) => this.#readdir(request, false, signal)],
      [operation.readdirplus, (request, signal) => this.#readdir(request, true, signal)],
      [operation.releasedir, (request) => this.#releasedir(request)],
      [operation.statfs, (_, signal) => this.#statfs(signal)],
      [operation.getxattr, (request, signal) => this.#getxattr(request, signal)],
      [operation.listxattr, (request, signal) => this.#listxattr(request, signal)],
      [operation.setxattr, changing((request, signal) => this.#setxattr(request, signal))],
      [operation.removexattr, changing((request, signal) => this.#removexattr(request, signal))],
      [operation.destroy, () => Promise.resolve(none)],
    ]);
  }

  /** Answers a request of the kernel. */
  answer(request: FuseRequest, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const work = this.#operations.get(request.opcode);
    return work ? work(request, signal) : Promise.reject(new FuseError("ENOSYS"));
  }

  #refuse(): Promise<never> {
    return Promise.reject(new FuseError("EROFS"));
  }

  #path(node: number): string {
    const path = this.#nodes.path(node);
    if (path === undefined) throw new FuseError("ESTALE");
    return path;
  }

  #shown(stat: Statns): Attributes {
    const { uid, gid, umask, validFor } = this.#options;
    const mode = umask === undefined ? stat.st_mode : (stat.st_mode & typeMask) | (0o777 & ~umask);
    return { stat: { ...stat, st_mode: mode, st_uid: uid ?? stat.st_uid, st_gid: gid ?? stat.st_gid }, validFor };
  }

  async #entry(parent: number, name: string, signal: AbortSignal): Promise<Buffer> {
    const stat = await this.#g.lstatns(child(this.#path(parent), name), { signal });
    return entryReply(this.#nodes.tell(parent, name), this.#shown(stat));
  }

  #lookup(request: FuseRequest, signal: AbortSignal): Promise<Buffer> {
    return this.#entry(request.node, decodeText(request.name()), signal);
  }

  #forget(request: FuseRequest): Promise<undefined> {
    this.#nodes.forget(request.node, request.uint64());
    return Promise.resolve(undefined);
  }

  #batchForget(request: FuseRequest): Promise<undefined> {
    const count = request.uint32();
    request.skip(4);
    for (let at = 0; at < count; at++) this.#nodes.forget(request.uint64(), request.uint64());
    return Promise.resolve(undefined);
  }

  async #getattr(node: number, signal: AbortSignal): Promise<Buffer> {
    return attributesReply(this.#shown(await this.#g.lstatns(this.#path(node), { signal })));
  }

  async #setattr(request: FuseRequest, signal: AbortSignal): Promise<Buffer> {
    const path = this.#path(request.node);
    const valid = request.uint32();
    request.skip(4 + 8);
    const size = request.uint64();
    request.skip(8);
    const [atime, mtime] = [request.int64(), request.int64()];
    request.skip(8);
    const [atimeNanoseconds, mtimeNanoseconds] = [request.uint32(), request.uint32()];
    request.skip(4);
    const mode = request.uint32();
    request.skip(4);
    const [uid, gid] = [request.uint32(), request.uint32()];
    const g = this.#g;
    if (valid & set.size) await g.truncateSize(path, size, { signal });
    if (valid & (set.uid | set.gid)) {
      const now = await g.lstatns(path, { signal });
      await g.lchown(valid & set.uid ? uid : now.st_uid, valid & set.gid ? gid : now.st_gid, path, { signal });
    }
    // Behind chown(2), which takes the set-user-ID bit away.
    if (valid & set.mode) await g.chmod(mode & 0o7777, path, { signal });
    if (valid & (set.atime | set.mtime)) {
      const atimeKind = valid & set.atimeNow ? time.now : valid & set.atime ? atimeNanoseconds : time.keep;
      const mtimeKind = valid & set.mtimeNow ? time.now : valid & set.mtime ? mtimeNanoseconds : time.keep;
      await g.utimens(path, atime, atimeKind, mtime, mtimeKind, { signal });
    }
    return this.#getattr(request.node, signal);
  }

  async #symlink(request: FuseRequest, signal: AbortSignal): Promise<Buffer> {
    const [name, target] = [decodeText(request.name()), decodeText(request.name())];
    await this.#g.lnS(target, child(this.#path(request.node), name), { signal });
    return this.#entry(request.node, name, signal);
  }

  async #mknod(request: FuseRequest, signal: AbortSignal): Promise<Buffer> {
    const [mode, device] = [request.uint32(), request.uint32()];
    request.skip(8);
    const name = decodeText(request.name());
    // The kernel's packing of device numbers in 32 bits.
    const [major, minor] = [(device >>> 8) & 0xfff, (device & 0xff) | ((device >>> 12) & 0xfff00)];
    await this.#g.mknod(mode, major, minor, child(this.#path(request.node), name), { signal });
    return this.#entry(request.node, name, signal);
  }

  async #mkdir(request: FuseRequest, signal: AbortSignal): Promise<Buffer> {
    const mode = request.uint32();
    request.skip(4);
    const name = decodeText(request.name());
    await this.#g.mkdirMode(child(this.#path(request.node), name), mode & 0o7777, { signal });
    return this.#entry(request.node, name, signal);
  }

  async #unlink(request: FuseRequest, signal: AbortSignal): Promise<Uint8Array> {
    const name = decodeText(request.name());
    if (await this.#hide(request.node, name)) return none;
    await this.#g.rm(child(this.#path(request.node), name), { signal });
    this.#nodes.removed(request.node, name);
    return none;
  }

  /** Gives a file that is open another name, since its path is all that leads to it. */
  async #hide(parent: number, name: string): Promise<boolean> {
    const node = this.#nodes.known(parent, name);
    if (node === undefined || !this.#nodes.isOpen(node)) return false;
    const hidden = `.guestmount_hidden${node}`;
    const folder = this.#path(parent);
    await this.#g.rename(child(folder, name), child(folder, hidden));
    this.#nodes.renamed(parent, name, parent, hidden);
    this.#nodes.doom(node);
    return true;
  }

  async #rmdir(request: FuseRequest, signal: AbortSignal): Promise<Uint8Array> {
    const name = decodeText(request.name());
    await this.#g.rmdir(child(this.#path(request.node), name), { signal });
    this.#nodes.removed(request.node, name);
    return none;
  }

  #rename2(request: FuseRequest): Promise<Uint8Array> {
    const parent = request.uint64();
    const flags = request.uint32();
    request.skip(4);
    return this.#rename(request, parent, flags);
  }

  async #rename(request: FuseRequest, newParent: number, flags: number): Promise<Uint8Array> {
    // Exchanging two names, and not replacing, are more than the daemon's call can.
    if (flags !== 0) throw new FuseError("EINVAL");
    const [name, newName] = [decodeText(request.name()), decodeText(request.name())];
    await this.#hide(newParent, newName);
    await this.#g.rename(child(this.#path(request.node), name), child(this.#path(newParent), newName));
    this.#nodes.renamed(request.node, name, newParent, newName);
    return none;
  }

  async #link(request: FuseRequest, signal: AbortSignal): Promise<Buffer> {
    const target = this.#path(request.uint64());
    const name = decodeText(request.name());
    await this.#g.ln(target, child(this.#path(request.node), name), { signal });
    return this.#entry(request.node, name, signal);
  }

  async #open(request: FuseRequest, signal: AbortSignal): Promise<Buffer> {
    const flags = request.uint32();
    if (flags & openTruncate) await this.#g.truncate(this.#path(request.node), { signal });
    this.#nodes.opened(request.node);
    return openReply(0);
  }

  async #create(request: FuseRequest, signal: AbortSignal): Promise<Buffer> {
    const [flags, mode] = [request.uint32(), request.uint32()];
    request.skip(8);
    const name = decodeText(request.name());
    const path = child(this.#path(request.node), name);
    try {
      await this.#g.mknod(0o100000 | (mode & 0o7777), 0, 0, path, { signal });
    } catch (error) {
      if (flags & openExclusive || !(await this.#g.exists(path))) throw error;
      if (flags & openTruncate) await this.#g.truncate(path, { signal });
    }
    const entry = await this.#entry(request.node, name, signal);
    const node = this.#nodes.known(request.node, name);
    if (node !== undefined) this.#nodes.opened(node);
    return Buffer.concat([entry, openReply(0)]);
  }

  async #read(request: FuseRequest, signal: AbortSignal): Promise<Uint8Array> {
    request.skip(8);
    const [offset, size] = [request.uint64(), request.uint32()];
    return this.#g.pread(this.#path(request.node), size, offset, { signal });
  }

  async #write(request: FuseRequest, signal: AbortSignal): Promise<Buffer> {
    request.skip(8);
    const [offset, size] = [request.uint64(), request.uint32()];
    request.skip(4 + 8 + 8);
    const content = request.data(size);
    return countReply(await this.#g.pwrite(this.#path(request.node), content, offset, { signal }));
  }

  async #release(request: FuseRequest): Promise<Uint8Array> {
    const path = this.#nodes.path(request.node);
    if (this.#nodes.closed(request.node) && path !== undefined) await this.#g.rmF(path);
    return none;
  }

  async #sync(): Promise<Uint8Array> {
    if (!this.#options.readOnly) await this.#g.sync();
    return none;
  }

  async #opendir(request: FuseRequest, signal: AbortSignal): Promise<Buffer> {
    const handle = ++this.#lastHandle;
    const listing = await FolderListing.open(this.#g, this.#path(request.node), signal);
    this.#listings.set(handle, listing);
    this.#recent.add(listing);
    return openReply(handle);
  }

  #releasedir(request: FuseRequest): Promise<Uint8Array> {
    this.#listings.delete(request.uint64());
    return Promise.resolve(none);
  }

  async #readdir(request: FuseRequest, plus: boolean, signal: AbortSignal): Promise<Buffer> {
    const [handle, start, size] = [request.uint64(), request.uint64(), request.uint32()];
    const listing = this.#listings.get(handle);
    if (!listing) throw new FuseError("EBADF");
    const reply = new ListingReply(size, plus);
    const dots = [".", ".."];
    for (let at = start; at < listing.names.length + dots.length; at++) {
      const text = dots[at] ?? listing.names[at - dots.length] ?? "";
      const name = encodeText(text);
      if (!reply.fits(name)) break;
      if (at < dots.length) {
        reply.add(name, at + 1, undefined);
        continue;
      }
      const stat = plus ? await listing.stat(at - dots.length, signal) : undefined;
      if (plus && !stat) continue;
      const entry = stat && { node: this.#nodes.tell(request.node, text), attributes: this.#shown(stat) };
      reply.add(name, at + 1, stat, entry);
    }
    return reply.bytes();
  }

  async #statfs(signal: AbortSignal): Promise<Buffer> {
    const found = await this.#g.statvfs("/", { signal });
    const out = Buffer.alloc(80);
    [found.blocks, found.bfree, found.bavail, found.files, found.ffree].forEach((value, index) =>
      out.writeBigUInt64LE(BigInt(value), 8 * index),
    );
    [found.bsize, found.namemax, found.frsize].forEach((value, index) =>
      out.writeUInt32LE(value >>> 0, 40 + 4 * index),
    );
    return out;
  }

  /** A value that the kernel first asks the size of. */
  #sized(value: Uint8Array, room: number): Uint8Array {
    if (room === 0) return countReply(value.length);
    if (value.length > room) throw new FuseError("ERANGE");
    return value;
  }

  /** Attributes of a file in a folder that was listed a moment ago. */
  async #listedAttributes(path: string): Promise<ReadonlyMap<string, Uint8Array> | undefined> {
    const slash = path.lastIndexOf("/");
    return this.#recent.find(path.slice(0, slash) || "/")?.attributes(path.slice(slash + 1));
  }

  async #getxattr(request: FuseRequest, signal: AbortSignal): Promise<Uint8Array> {
    const room = request.uint32();
    request.skip(4);
    const name = decodeText(request.name());
    const path = this.#path(request.node);
    const listed = await this.#listedAttributes(path);
    if (!listed) return this.#sized(await this.#g.lgetxattr(path, name, { signal }), room);
    const value = listed.get(name);
    if (!value) throw new FuseError("ENODATA");
    return this.#sized(value, room);
  }

  async #listxattr(request: FuseRequest, signal: AbortSignal): Promise<Uint8Array> {
    const room = request.uint32();
    const path = this.#path(request.node);
    const names =
      (await this.#listedAttributes(path))?.keys() ??
      (await this.#g.lgetxattrs(path, { signal })).map(({ attrname }) => attrname);
    return this.#sized(encodeText([...names].map((name) => `${name}\0`).join("")), room);
  }

  async #setxattr(request: FuseRequest, signal: AbortSignal): Promise<Uint8Array> {
    const size = request.uint32();
    request.skip(4);
    const name = decodeText(request.name());
    const value = decodeText(request.data(size));
    await this.#g.lsetxattr(name, value, size, this.#path(request.node), { signal });
    return none;
  }

  async #removexattr(request: FuseRequest, signal: AbortSignal): Promise<Uint8Array> {
    await this.#g.lremovexattr(decodeText(request.name()), this.#path(request.node), { signal });
    return none;
  }
}
