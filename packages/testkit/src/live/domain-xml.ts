/** What the machine is like. */
export interface DomainDescription {
  name: string;
  kernel: string;
  initrd: string;
  /** qcow2 image of the root. */
  disk: string;
  /** Names of virtio-serial ports that a unix socket of the host leads to; libvirt chooses its path. */
  channels: readonly string[];
  /** File for what the machine writes on its serial console. */
  console: string;
  memoryMiB: number;
}

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  "'": "&apos;",
  '"': "&quot;",
};
const escaped = (text: string): string => text.replaceAll(/[&<>'"]/g, (character) => escapes[character]!);

/** libvirt's description of an emulated machine that boots a kernel of the host. */
export function domainXml(domain: DomainDescription): string {
  const channels = domain.channels.map(
    (name) => `<channel type='unix'><source mode='bind'/><target type='virtio' name='${escaped(name)}'/></channel>`,
  );
  return `<domain type='qemu'>
  <name>${escaped(domain.name)}</name>
  <memory unit='MiB'>${domain.memoryMiB}</memory>
  <vcpu>2</vcpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <kernel>${escaped(domain.kernel)}</kernel>
    <initrd>${escaped(domain.initrd)}</initrd>
    <cmdline>console=ttyS0 quiet root=/dev/vda rw systemd.show_status=false audit=0 mitigations=off random.trust_cpu=on 8250.nr_uarts=1</cmdline>
  </os>
  <features><acpi/></features>
  <!-- Emulated, these instructions copy memory byte by byte. -->
  <cpu mode='maximum'>
    <feature policy='disable' name='erms'/>
    <feature policy='disable' name='fsrm'/>
    <!-- Emulated, each sleep of a process would flush the TLB. -->
    <feature policy='disable' name='pku'/>
  </cpu>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2' cache='unsafe'/>
      <source file='${escaped(domain.disk)}'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <controller type='usb' model='none'/>
    <!-- At each interrupt, Linux looks through the queues of 31 ports otherwise. -->
    <controller type='virtio-serial' index='0' ports='4' vectors='11'/>
    <serial type='file'><source path='${escaped(domain.console)}'/></serial>
    ${channels.join("\n    ")}
    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
    <memballoon model='none'/>
  </devices>
</domain>
`;
}
