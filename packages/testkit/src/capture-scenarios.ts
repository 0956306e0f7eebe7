import { existsSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { spawnSync } from "node:child_process";
import type { RecordingProxy } from "./recording-proxy.ts";
import type { StockDaemon } from "./stock-daemon.ts";

/** What a scenario can get at while the client runs. */
export interface Stage {
  readonly daemon: StockDaemon;
  readonly proxy: RecordingProxy;
  /** Types Ctrl-C at the client's terminal. */
  readonly interrupt: () => void;
}

/** One conversation to capture. */
export interface Scenario {
  /** Name of the fixture. */
  readonly name: string;
  readonly about: string;
  /** Commands for the stock guestfish, run in a folder with `content` (20000 bytes), `empty` and a link `zeros` to /dev/zero. */
  readonly script: readonly string[];
  /** Runs guestfish at a terminal: only then does it take Ctrl-C for the wish to stop the call. */
  readonly atTerminal?: true;
  /** Called before the client starts; the promise it may give back is waited for after the client ended. */
  readonly prepare?: (stage: Stage) => Promise<unknown> | void;
}

/** Holds the client's bytes back once, after a number of them passed. */
function pauseAfter(proxy: RecordingProxy, count: number, pause: () => Promise<unknown>): void {
  let passed = 0;
  proxy.beforeClientBytes = async (bytes) => {
    const before = passed;
    passed += bytes.length;
    if (before <= count && passed > count) await pause();
  };
}

function inDaemonNamespace(daemon: StockDaemon, ...command: string[]): void {
  const { status, stderr } = spawnSync("nsenter", ["-t", String(daemon.pid), "--mount", "--root", "--", ...command], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`${command.join(" ")}: ${stderr}`);
}

const calls = [
  "ping-daemon",
  "echo-daemon \"one two 'three four'\"",
  'echo-daemon ""',
  "mkdir /d",
  "mkdir-mode /d/sub 0700",
  'write /d/hello "Hello, \\xff bytes\\n"',
  "write-append /d/hello more",
  "umask 077",
  "exists /d",
  "exists /nothing",
  "filesize /d/hello",
  "truncate-size /d/hello 4294967301",
  'pwrite /d/hello "by\\x01tes" 4294967296',
  "pread /d/hello 7 4294967295",
  "chmod 0644 /d/hello",
  "chown 1000 100 /d/hello",
  "utimens /d/hello 1000000000 5 -1 -2",
  'write "/d/\\xfcmlaut \\xe2\\x82\\xac" x',
  "lstatns /d/hello",
  "statvfs /",
  'lstatnslist /d "hello missing sub"',
  'readlinklist /d "hello missing"',
  "ln-s hello /d/link",
  "readlink /d/link",
  "readdir /d",
  "setxattr trusted.test value 5 /d",
  "getxattrs /d",
  'lxattrlist /d "hello sub"',
  "lgetxattr /d trusted.test",
  "mktemp /d/XXXXXX suffix:.txt",
  "copy-attributes /d/hello /d/sub mode:true ownership:true",
  "copy-file-to-file /d/hello /d/copy srcoffset:4294967296 size:5",
  "glob-expand /d/s* directoryslash:false",
  "aug-init / 0",
  'aug-defvar none ""',
  "aug-defvar some /augeas",
  "aug-defnode node /files/one two",
  "aug-insert /files/one other true",
  "aug-match /files/*",
  "aug-close",
  "available-all-groups",
  '-feature-available "btrfs no-such-group"',
  "mountpoints",
  "list-devices",
  "list-disk-labels",
  "inotify-init 0",
  "inotify-add-watch /d 4095",
  "touch /d/watched",
  "inotify-read",
  "inotify-close",
  "head-n 1 /d/hello",
  "checksum md5 /d/copy",
  "rm-rf /d/sub",
  "-rm /nothing",
  "-rmdir /d",
  "-touch relative",
  "-mkfs ext2 /dev/sda blocksize:1024 label:name",
  "-mkfs no-such-type /dev/null features:one,two inode:256",
  "-mount-options ro,noatime btrfsvol:/dev/sda/sub /d",
  "-part-set-gpt-type /dev/sda 1 C12A7328-F81F-11D2-BA4B-00A0C93EC93B",
  "-part-set-gpt-attributes /dev/sda 1 -9223372036854775807",
  "-part-list /dev/sda",
];

/** Every conversation that a fixture holds. */
export const scenarios: readonly Scenario[] = [
  {
    name: "calls",
    about: "arguments, optional arguments, results and error replies of every kind",
    script: calls,
  },
  {
    name: "file-in",
    about: "files from the client to the daemon: several chunks, none, and a call that takes optional arguments too",
    script: [
      "upload content /content",
      "upload empty /empty",
      "upload-offset content /content 5",
      "-tar-in content / compress:gzip",
    ],
  },
  {
    name: "file-out",
    about:
      "files from the daemon to the client: several chunks, none, a list among the optional arguments, an error before the first chunk",
    script: [
      "upload content /content",
      "touch /empty",
      "download /content -",
      "download /empty -",
      "download-offset /content - 10 8193",
      "mkdir /tree",
      "touch /tree/kept",
      'tar-out /tree - numericowner:true "excludes:left*"',
      "-download /missing -",
      "find0 /tree -",
    ],
  },
  {
    name: "upload-cancelled-by-client",
    about: "the user stops an upload half-way; the handle goes on",
    script: ["-upload zeros /zeros", "ping-daemon"],
    atTerminal: true,
    prepare: ({ proxy, interrupt }) => {
      pauseAfter(proxy, 100_000, async () => {
        interrupt();
        await delay(200);
      });
    },
  },
  {
    name: "upload-cancelled-by-daemon",
    about: "the daemon can't write what it gets; the handle goes on",
    script: ["-upload zeros /no/such/folder/zeros", "-upload content /no/such/folder/content", "ping-daemon"],
  },
  {
    name: "download-cancelled-by-client",
    about: "the client can't write what it gets; the handle goes on",
    script: ["touch /zeros", "truncate-size /zeros 4000000", "-download /zeros /dev/full", "ping-daemon"],
  },
  {
    name: "download-cancelled-too-late",
    about: "the client's wish to stop meets a daemon that has sent everything, which takes no notice of it",
    script: ["upload content /content", "-download /content /dev/full", "ping-daemon"],
    prepare: ({ proxy }) => {
      // A frame of 4 bytes can only be the cancel flag.
      proxy.beforeClientBytes = async (bytes) => {
        if (bytes.length === 4) await delay(300);
      };
    },
  },
  {
    name: "download-cancelled-by-daemon",
    about: "the daemon can't read on, after its reply (a read of /proc/self/mem, which gives EIO); the handle goes on",
    script: ["-download /proc/self/mem -", "ping-daemon"],
    prepare: ({ daemon }) => {
      inDaemonNamespace(daemon, "mkdir", "/sysroot/proc");
      inDaemonNamespace(daemon, "mount", "-t", "proc", "none", "/sysroot/proc");
    },
  },
  {
    name: "progress",
    about: "progress of an upload of known size whose client stalls, and of a call that can't tell how far it is",
    script: ["upload content /content", "mkfifo 0600 /fifo", "cp /fifo /copy"],
    prepare: async ({ daemon, proxy }) => {
      pauseAfter(proxy, 12_000, () => delay(2500));
      const fifo = join(daemon.sysroot, "fifo");
      while (!existsSync(fifo)) await delay(50);
      await delay(3000);
      const file = await open(fifo, "w");
      await file.write("content");
      await file.close();
    },
  },
];
