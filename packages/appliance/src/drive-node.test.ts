import assert from "node:assert/strict";
import { test } from "node:test";
import { ApplianceError } from "./appliance-error.ts";
import { encodedSecret, parseServer, protocolNode } from "./drive-node.ts";

test("servers in every form", () => {
  assert.deepEqual(parseServer("host", 10809), { type: "inet", host: "host", port: "10809" });
  assert.deepEqual(parseServer("tcp:10.0.0.1:99", 1), { type: "inet", host: "10.0.0.1", port: "99" });
  assert.deepEqual(parseServer("[::1]:99", 1), { type: "inet", host: "::1", port: "99" });
  assert.deepEqual(parseServer("unix:/run/a:b", 1), { type: "unix", path: "/run/a:b" });
  assert.throws(() => parseServer("a:b:c", 1), TypeError);
});

test("the node of each protocol", () => {
  assert.deepEqual(protocolNode({ filename: "/a,b" }, false, undefined), { driver: "file", filename: "/a,b" });
  assert.equal(protocolNode({ filename: "/dev/sda" }, true, undefined).driver, "host_device");
  assert.deepEqual(protocolNode({ filename: "/disk", protocol: "nbd", server: ["h"] }, false, undefined), {
    driver: "nbd",
    server: { type: "inet", host: "h", port: "10809" },
    export: "disk",
  });
  assert.deepEqual(
    protocolNode(
      { filename: "d.img", protocol: "https", server: ["h:8443"], username: "u", secret: "s" },
      false,
      "secret0",
    ),
    { driver: "https", url: "https://h:8443/d.img", username: "u", "password-secret": "secret0" },
  );
  assert.equal(
    protocolNode({ filename: "/a b#100%.img?key=a%20b?c", protocol: "http", server: ["tcp:h"] }, false, undefined)[
      "url"
    ],
    "http://h/a%20b%23100%25.img?key=a%20b?c",
  );
  assert.deepEqual(protocolNode({ filename: "/d", protocol: "ssh", server: ["h"], username: "u" }, false, undefined), {
    driver: "ssh",
    server: { host: "h", port: "22" },
    path: "/d",
    user: "u",
  });
  assert.equal(protocolNode({ filename: "iqn.x/3", protocol: "iscsi", server: ["h"] }, false, undefined)["lun"], 3);
  const six = { filename: "iqn.x", protocol: "iscsi", server: ["[::1]:3261"] } as const;
  assert.equal(protocolNode(six, false, undefined)["portal"], "[::1]:3261");
  assert.equal(protocolNode({ filename: "pool/a/b", protocol: "rbd" }, false, undefined)["image"], "a/b");
});

test("protocols without their server", () => {
  for (const protocol of ["nbd", "ssh", "https", "iscsi", "gluster"] as const) {
    assert.throws(() => protocolNode({ filename: "/x", protocol }, false, undefined), ApplianceError);
  }
});

test("a password is encoded for QEMU; a key of Ceph is base64 already", () => {
  assert.equal(encodedSecret({ filename: "d", protocol: "http", secret: "pässword" }), "cMOkc3N3b3Jk");
  assert.equal(encodedSecret({ filename: "p/i", protocol: "rbd", secret: "AQBxdw==" }), "AQBxdw==");
});
