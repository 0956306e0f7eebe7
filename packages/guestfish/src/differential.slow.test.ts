import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startStockDaemon, stockGuestfishHypervisor, whyNoStockDaemon, whyNoStockGuestfish } from "@guestfs/testkit";

// The same script through the stock guestfish and ours, each with a stock daemon of its own: what they print,
// what they say of the library's and the daemon's errors, and their status have to be the same.

const reason = whyNoStockGuestfish() ?? whyNoStockDaemon();
if (reason !== undefined) console.log(`skipped: ${reason}`);

interface Run {
  readonly output: string;
  /** Errors of the library and the daemon, word for word. */
  readonly errors: readonly string[];
  /** Whether the shell said anything of its own; the wording is ours. */
  readonly complained: boolean;
  readonly status: number | null;
}

interface Case {
  readonly name: string;
  readonly script?: string;
  /** Words of the command line after the disk. */
  readonly args?: readonly string[];
  /** Input that is no script. */
  readonly input?: string;
  /** Errors come from the library, whose wording is our own: only their places are compared. */
  readonly ownWording?: true;
}

const program = [
  "--conditions=source",
  "--import",
  import.meta.resolve("tsx"),
  fileURLToPath(new URL("./main.ts", import.meta.url)),
];

async function run(
  command: string,
  args: readonly string[],
  environment: Record<string, string>,
  item: Case,
): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), "guestfish-differential-"));
  try {
    writeFileSync(join(folder, "disk.img"), Buffer.alloc(512));
    writeFileSync(join(folder, "input"), Buffer.from(item.script ?? item.input ?? "", "latin1"));
    mkdirSync(join(folder, "tree"));
    writeFileSync(join(folder, "tree", "leaf"), "a leaf\n");
    // A file and not a pipe: the stock shell opens /dev/stdin by name, which does not go with node's sockets.
    const input = openSync(join(folder, "input"), "r");
    const child = spawn(command, [...args, ...(item.args ?? [])], {
      cwd: folder,
      env: { PATH: process.env["PATH"] ?? "", HOME: "/root", LC_ALL: "C.UTF-8", ...environment },
      stdio: [input, "pipe", "pipe"],
    });
    closeSync(input);
    const ended = new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve));
    child.stdout!.setEncoding("latin1");
    const [output, messages, status] = await Promise.all([text(child.stdout!), text(child.stderr!), ended]);
    const lines = messages.split("\n").filter((line) => line !== "");
    // Hints and explanations that follow an error are each shell's own.
    const errors = lines.filter((line) => line.includes("libguestfs: error: "));
    const places = errors.map((line) => line.slice(0, line.indexOf("error: ")));
    return { output, errors: item.ownWording === true ? places : errors, complained: lines.length > 0, status };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Without `run`, no daemon is needed. */
function launches(item: Case): boolean {
  return item.script?.startsWith("run\n") === true || item.args?.includes("run") === true;
}

async function stock(item: Case): Promise<Run> {
  if (!launches(item)) return run("/usr/bin/guestfish", [], {}, item);
  await using daemon = await startStockDaemon();
  using hypervisor = stockGuestfishHypervisor({ socketPath: daemon.socketPath });
  // It launches only with a disk.
  return await run("/usr/bin/guestfish", ["--format=raw", "-a", "disk.img"], hypervisor.environment, item);
}

async function ours(item: Case): Promise<Run> {
  if (!launches(item)) return run(process.execPath, program, {}, item);
  await using daemon = await startStockDaemon();
  return await run(process.execPath, program, { LIBGUESTFS_BACKEND: `unix:${daemon.socketPath}` }, item);
}

const cases: readonly Case[] = [
  {
    name: "results of every kind",
    script: String.raw`run
write /f "hello\nworld\n"
cat /f
touch /e
mkdir-p /d/x/y
utimens /f 1 2 3 4
ls /
stat /f | grep -v 'dev\|ctime'
statns /f | grep -v 'dev\|ctime'
lstatlist / "f e" | grep -v 'dev\|time'
readdir /
is-file /f
is-dir /f
filesize /f
read-lines /f
umask 022
get-umask
umask 0
get-umask
checksum md5 /f
find /
find0 / - | tr '\000' '\n'
setxattr user.a "v\x01a\\l" 5 /f
getxattrs /f
getxattr /f user.a
lxattrlist / "f e"
mountpoints
mounts
grep o /f
grep zz /f
pread /f 5 2
head-n 1 /f
hexdump /f
wc-c /f
exists /nothing
echo-daemon "a b 'c  d'"
echo-daemon ""
available-all-groups
supported
feature-available acl
read-file /f
strings /f
file /f
du /f
`,
  },
  {
    name: "bytes that are no text",
    script:
      'run\nwrite /b "\\x01\\xff\\xfe\\n"\npread /b 10 0\ndownload /b -\nwrite /u \xc3\xa9\ncat /u\ntouch /\xc3\xa9\nls /\n',
  },
  {
    name: "quoting, escapes and words",
    script: String.raw`echo a  b	c
echo "a b" 'c "d' e"f
echo "\a\b\f\r\t\v\"\'\?\\ \x41\101"
echo '\n' ~ ~root ~nosuchuser ~/x "~" a~ ~root/y
echo a # not a comment
	# a comment
echo
-
- echo minus
-nosuch
- echo "\q
ECHO upper
GET_Autosync
set-append ""
get-append
set-backend-settings "a=1 'b c=2' '' \\'d"
get-backend-settings
set-autosync tRuE
get-autosync
set-memsize 0x400
get-memsize
set-memsize 1KD
get-memsize
set-memsize k
get-memsize
`,
  },
  ...[
    'echo "a"b',
    "echo 'a",
    'echo "a',
    String.raw`echo "\q"`,
    String.raw`echo "\x00"`,
    "nosuch",
    '"echo" a',
    "set-autosync maybe",
    "set-memsize 08",
    "set-memsize 1000B",
    "set-memsize 4G",
    "set-memsize 100 ",
    "mount a",
    "mount a b c",
    "add disk.img readonly:true readonly:true",
    "add disk.img foo:bar",
    'set-backend-settings "a \'b"',
    "alloc",
    "alloc x 1Q",
    "sparse x 0",
    "lcd /nosuch",
    "lcd",
    "glob",
    "time",
    "time nosuch",
    "setenv A",
    "event a bogus x",
    "delete-event a",
    "reopen x",
    "help nosuch",
    "copy-in x",
    "copy-out x",
    "!exit 3",
    "<!echo echo a; echo nosuch",
  ].map((line): Case => ({
    ownWording: true,
    name: `a failure ends the script: ${line}`,
    script: `${line}\necho not reached\n`,
  })),
  {
    name: "host commands and pipes",
    script: String.raw`!echo hi
-!exit 3
<! for n in 1 2; do echo echo $n; done
<! echo '# nothing'; echo '-nosuch'; echo echo on
echo a | tr a b
echo a |tr a b | tr b c
echo a|b
echo "|" b
echo a | false
echo a |
setenv A b
!echo $A
unsetenv A
!echo x$A
lcd tree
!cat leaf
help list-events | wc -c | grep -q .
quit
echo not reached
`,
  },
  {
    name: "results through pipes",
    script: "run\nwrite /f abc\ncat /f | tr a-c x-z\ndownload /f - | tr a-c x-z\nhelp list-events | grep -q .\n",
  },
  {
    name: "errors of the daemon",
    script: `run
-mkdir relative
-rmdir /nonexistent
-mkdir /
-readlink /
-chmod 0o644 /
-checksum bogus /
-truncate-size / -1
-set-uuid /dev/sda1 foo
-mount /dev/sda1 /
-download /nosuch -
-tar-out / - compress:bogus
-command "nosuch"
-initrd-list /nosuch
-touch ""
echo still here
rmdir /nonexistent
echo not reached
`,
  },
  {
    name: "errors of the library",
    ownWording: true,
    script: `run
-ls /nonexistent
-ls relative
-cat win:/nonexistent
-upload /nosuch /f
-tar-in /nosuch / compress:gzip
-launch
-set-append foo
-copy-in nosuch /
-copy-out /nosuch .
-copy-out / nosuch
ls /nonexistent
echo not reached
`,
  },
  {
    name: "files in and out",
    script: String.raw`run
upload tree/leaf /leaf
cat /leaf
download /leaf copy
!cat copy
mkdir /in
copy-in tree /in
find /in
mkdir /out
write /out/f out
copy-out /out /out/f .
!cat out/f f
tar-out /in - | tar tf - | sort
tar-out /in in.tar
mkdir /again
tar-in in.tar /again
find /again
upload -<<END /g
input 1
  input 2
END
cat /g
-upload -<<END /h
never ends
`,
  },
  {
    name: "lists are split at blanks and tabs",
    script: 'set-backend-settings "force_tcg=a\\nb template=c\\ttemplate=d\\re"\nget-backend-settings\n',
  },
  {
    name: "folders by a dot, special files, and carriage returns in a here-document",
    ownWording: true,
    script: `run
mkdir /a
copy-in tree/. /a
mkdir /b
copy-in . /b
mkdir /b/l
copy-in tree/ /b/l
find /
mkdir /d
write /d/f x
ln-s f /d/l
ln-s d /s
mkfifo 0600 /p
-copy-out /d/l tree
-copy-out /s tree
-copy-out /p tree
-copy-out /none tree
copy-out /d/. tree
!ls tree
upload -<<END /f
a\r
END\r
END
hexdump /f
upload -<< /f
`,
  },
  {
    name: "events by the beginning of their names, sorted",
    script: `event b close "echo b $EVENT"
event "" la,clo, "echo x $EVENT"
event a trace,close,close,appliance "echo a $EVENT"
event c * "echo c"
list-events | grep -v '^"c'
-event d CLOSE x
-event d bogus x
-event d *,close x
delete-event ""
delete-event c
list-events
`,
  },
  {
    name: "output of a host command goes on after a failure when - stands before it",
    script: "-<! echo echo a; echo nosuch; echo echo b; exit 1\necho c\n",
  },
  {
    name: "hexedit knows what it can edit",
    ownWording: true,
    script: `run
write /f abc
touch /e
touch /g
setenv HEXEDITOR "wc -c <"
hexedit /f
hexedit /f 2 5
-hexedit /e
-hexedit /f 0
-hexedit /f 3 1
-hexedit /f 1 0
truncate-size /g 16777216
hexedit /g
truncate-size /g 16777217
-hexedit /g
hexedit /g 16777217
`,
  },
  {
    name: "emacs stays in the terminal",
    script: `run
write /f abc
!printf '#!/bin/sh\\necho $1\\n' > emacs
!chmod 755 emacs
setenv PATH ".:/usr/bin:/bin"
emacs /f
`,
  },
  { name: "supported takes words", script: "run\nsupported x\n" },
  {
    name: "globs and other prefixes",
    script: `run
write /a1 1
write /a2 2
write "/b 3" 3
mkdir /dir
glob echo /*
glob cat /a*
glob echo pre /a* /b* post
-glob rm /zz*
-glob mkdir /a*
-glob nosuch /a*
glob echo x[y] *
glob ls /d*
-time nosuch
-event
event e enter,trace "echo $EVENT $1"
list-events
touch /t
delete-event e
list-events
touch /t
`,
  },
  {
    name: "a here-document that never ends",
    script: "run\nupload -<<END /g\nx\n",
  },
  {
    name: "commands of the command line",
    args: ["run", ":", "write", "/f", "a b", ":", "cat", "/f", ":", "echo", '"a"', "~", "|", "a\\n", ":"],
  },
  { name: "a failure on the command line", ownWording: true, args: ["run", ":", "ls", "/nosuch", ":", "echo", "x"] },
  {
    name: "a forgiven failure on the command line",
    ownWording: true,
    args: ["--", "run", ":", "-ls", "/nosuch", ":", "echo", "x", ":", "-", ":", "-nosuch"],
  },
  { name: "an empty command", args: ["echo", "a", ":", ":", "echo", "b"] },
  { name: "an unknown command of the command line", args: ["!echo hi"] },
  {
    name: "upload from standard input",
    args: ["run", ":", "upload", "-", "/f", ":", "cat", "/f"],
    input: "one\ntwo\n",
  },
  { name: "options among the words", args: ["get-autosync", "-n", ":", "--network", "get-network"] },
  { name: "--pipe-error is no trouble to a pipe that reads", args: ["--pipe-error"], script: "echo a | cat\n" },
  { name: "trace of a setting", args: ["-x", "get-autosync"] },
  { name: "a missing script", args: ["-f", "nosuch"] },
  { name: "a missing script and commands", args: ["-f", "nosuch", "echo", "a"] },
  { name: "-f twice", args: ["-f", "a", "-f", "b"] },
  { name: "--ro with --rw", args: ["--ro", "--rw", "echo", "a"] },
  { name: "an unknown option", args: ["--nosuch"] },
  { name: "a missing disk", args: ["-a", "nosuch.img", "echo", "a"] },
  { name: "--format at the end", args: ["--format=raw"] },
  { name: "-N that is not there", args: ["-N", "nosuch"] },
];

describe("guestfish beside the stock guestfish", { skip: reason ?? false, concurrency: 2 }, () => {
  for (const item of cases) {
    test(item.name, async () => {
      const [expected, actual] = await Promise.all([stock(item), ours(item)]);
      assert.deepEqual(actual, expected);
    });
  }
});
