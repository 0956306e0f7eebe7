import assert from "node:assert/strict";
import { test } from "node:test";
import { startScriptedPeer } from "@guestfs/testkit";
import type { PeerConversation, ReceivedCall } from "@guestfs/testkit";
import { Guestfs } from "../index.ts";

type Answers = Readonly<Record<string, (call: ReceivedCall) => unknown>>;

/** A daemon that answers some calls; `download` sends what is found under the file's name. */
async function serve(
  peer: PeerConversation,
  answers: Answers,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<void> {
  peer.greet();
  for (;;) {
    const call = await peer.call();
    const { name } = call.row;
    if (name === "internal_feature_available") peer.reply(call, 2);
    else if (name === "filesize") {
      const file = files[call.args["file"] as string];
      if (file === undefined) peer.replyError(call, "ENOENT", "No such file or directory");
      else peer.reply(call, Buffer.from(file).length);
    } else if (name === "download") {
      peer.reply(call);
      const content = Buffer.from(files[call.args["remotefilename"] as string] ?? "");
      if (content.length > 0) peer.chunk({ type: "data", data: content });
      peer.chunk({ type: "end" });
    } else peer.reply(call, (answers[name] as (call: ReceivedCall) => unknown)(call));
  }
}

async function inspecting(
  answers: Answers,
  files: Readonly<Record<string, string | Uint8Array>>,
  use: (g: Guestfs) => Promise<void>,
): Promise<void> {
  await using peer = await startScriptedPeer((conversation) => serve(conversation, answers, files));
  await using g = new Guestfs({ environment: false, closeTimeout: 1 });
  g.setBackend(`unix:${peer.socketPath}`);
  g.setAutosync(false);
  await g.launch();
  await use(g);
}

const root = "/dev/sda1";

test("a package database without an end is given up", async () => {
  const data = Buffer.alloc(256 * 1024, "a");
  await using peer = await startScriptedPeer(async (conversation) => {
    conversation.greet();
    for (;;) {
      const call = await conversation.call();
      const { name } = call.row;
      if (name === "download") {
        conversation.reply(call);
        for (let i = 0; i <= 256; i++) conversation.chunk({ type: "data", data });
        assert.equal((await conversation.frame())?.type, "cancel");
        conversation.chunk({ type: "cancel" });
      } else if (name === "inspect_get_type") conversation.reply(call, "linux");
      else if (name === "inspect_get_package_format") conversation.reply(call, "apk");
      else conversation.reply(call, name === "internal_feature_available" ? 0 : 256 * 1024);
    }
  });
  peer.ended.catch(() => undefined);
  await using g = new Guestfs({ environment: false, closeTimeout: 1 });
  g.setBackend(`unix:${peer.socketPath}`);
  g.setAutosync(false);
  await g.launch();
  await assert.rejects(g.inspectListApplications2(root), {
    code: "LOCAL",
    message: /^inspect_list_applications2: .*more than 67108864 bytes/,
  });
});

test("packages of dpkg", () => {
  const status = `Package: bash
Status: install ok installed
Architecture: amd64
Source: bash (5.2)
Version: 1:5.2.15-2+b7
Homepage: http://example.com/bash
Description: GNU Bourne Again SHell
 Bash is a shell.
 .
 It runs.

Package: gone
Status: deinstall ok config-files
Version: 1
`;
  const answers = { inspect_get_type: () => "linux", inspect_get_package_format: () => "deb" };
  return inspecting(answers, { "/var/lib/dpkg/status": status }, async (g) => {
    const found = await g.inspectListApplications2(root);
    assert.equal(found.length, 1);
    assert.deepEqual(
      { ...found[0] },
      {
        ...found[0],
        app2_name: "bash",
        app2_epoch: 1,
        app2_version: "5.2.15",
        app2_release: "2+b7",
        app2_arch: "amd64",
        app2_source_package: "bash",
        app2_summary: "GNU Bourne Again SHell",
        app2_description: "Bash is a shell.\n\nIt runs.",
      },
    );
    const [old] = await g.inspectListApplications(root);
    assert.equal(old?.app_name, "bash");
    assert.equal("app_arch" in (old ?? {}), false);
  });
});

test("packages of apk and pacman", async () => {
  const apk = { inspect_get_type: () => "linux", inspect_get_package_format: () => "apk" };
  await inspecting(
    apk,
    { "/lib/apk/db/installed": "P:musl\nV:1.2.4-r2\nA:x86_64\nT:the C library\no:musl\n\n" },
    async (g) => {
      const [musl] = await g.inspectListApplications2(root);
      assert.deepEqual(
        [musl?.app2_name, musl?.app2_version, musl?.app2_release, musl?.app2_summary],
        ["musl", "1.2.4", "2", "the C library"],
      );
    },
  );
  const desc = "/var/lib/pacman/local/zlib-1/desc";
  const pacman = {
    inspect_get_type: () => "linux",
    inspect_get_package_format: () => "pacman",
    glob_expand: () => [desc],
  };
  await inspecting(pacman, { [desc]: "%NAME%\nzlib\n\n%VERSION%\n1:1.3-1\n\n%DESC%\nCompression\n\n" }, async (g) => {
    const [zlib] = await g.inspectListApplications2(root);
    assert.deepEqual(
      [zlib?.app2_name, zlib?.app2_epoch, zlib?.app2_version, zlib?.app2_release],
      ["zlib", 1, "1.3", "1"],
    );
  });
});

test("icons", async () => {
  const png = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1);
  const debian = { inspect_get_distro: () => "debian" };
  await inspecting(debian, { "/usr/share/pixmaps/debian-logo.png": png }, async (g) =>
    assert.deepEqual([...(await g.inspectGetIcon(root))], [...png]),
  );
  await inspecting(debian, { "/etc/favicon.png": png }, async (g) => {
    assert.equal((await g.inspectGetIcon(root)).length, png.length);
    assert.equal((await g.inspectGetIcon(root, { favicon: false })).length, 0);
    assert.equal((await g.inspectGetIcon(root, { highquality: true })).length, 0);
  });
  await inspecting(debian, { "/etc/favicon.png": "no picture" }, async (g) =>
    assert.equal((await g.inspectGetIcon(root)).length, 0),
  );
});

test("osinfo", () => {
  const answers = {
    inspect_get_type: () => "linux",
    inspect_get_distro: () => "debian",
    inspect_get_major_version: () => 12,
    inspect_get_minor_version: () => 5,
  };
  return inspecting(answers, {}, async (g) => assert.equal(await g.inspectGetOsinfo(root), "debian12"));
});
