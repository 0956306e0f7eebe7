/** Bytes from the start of a file that {@link architectureOf} wants. */
export const architectureHead = 4096;

/** Machine numbers of the ELF specification and its supplements, by 32 or 64 bits where that matters. */
function elfMachine(head: Buffer): string | undefined {
  const wide = head[4] === 2;
  const little = head[5] === 1;
  const machine = little ? head.readUInt16LE(18) : head.readUInt16BE(18);
  switch (machine) {
    case 2:
    case 18:
      return "sparc";
    case 3:
    case 6:
      return "i386";
    case 8:
      return wide ? "mips64" : "mips";
    case 20:
      return "ppc";
    case 21:
      return little ? "ppc64le" : "ppc64";
    case 22:
      return wide ? "s390x" : "s390";
    case 40:
      return "arm";
    case 43:
      return "sparc64";
    case 50:
      return "ia64";
    case 62:
      return "x86_64";
    case 183:
      return "aarch64";
    case 243:
      return wide ? "riscv64" : "riscv32";
    case 258:
      return wide ? "loongarch64" : "loongarch32";
    case 0x9026:
      return "alpha";
    default:
      return undefined;
  }
}

/** Machine numbers of the PE format. */
function peMachine(head: Buffer): string | undefined {
  const at = head.readUInt32LE(0x3c);
  if (at > head.length - 6 || head.toString("latin1", at, at + 4) !== "PE\0\0") return undefined;
  switch (head.readUInt16LE(at + 4)) {
    case 0x14c:
      return "i386";
    case 0x8664:
      return "x86_64";
    case 0xaa64:
      return "aarch64";
    case 0x1c0:
    case 0x1c4:
      return "arm";
    default:
      return undefined;
  }
}

/** The architecture of a program, library or kernel module from its first bytes; `undefined` when it is none of them. */
export function architectureOf(head: Buffer): string | undefined {
  if (head.length >= 20 && head.toString("latin1", 0, 4) === "\x7fELF") return elfMachine(head);
  if (head.length >= 0x40 && head.toString("latin1", 0, 2) === "MZ") return peMachine(head);
  return undefined;
}
