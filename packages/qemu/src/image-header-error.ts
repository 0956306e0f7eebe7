/** Image formats that `parseImageHeader` knows, under QEMU's names. */
export type ImageFormat = "raw" | "qcow2" | "qcow" | "qed" | "vmdk" | "vdi" | "vhdx" | "vpc" | "parallels";

/** Another file that an image wants to be opened with it. */
export interface ImageReference {
  /** `backing`: what is read where the image has nothing. `data`: a qcow2 image's external data file. `extent`: part of a vmdk image. */
  kind: "backing" | "data" | "extent";
  /** The name as it stands in the image (hostile input: any characters); empty when the image has one but keeps its name elsewhere. */
  name: string;
  /** Format of a backing file as the image claims it, when it does. */
  format?: string;
}

/** What an image's header says. */
export interface ImageHeader {
  /** `raw` when nothing is recognised. */
  format: ImageFormat;
  /** Size of the disk in bytes; undefined when the header alone does not tell (`raw`: the file's size). */
  virtualSize: bigint | undefined;
  /** Every other file that the image names. QEMU would open them. */
  references: readonly ImageReference[];
  /** `true`: the contents are encrypted by the image format (qcow, qcow2). */
  encrypted: boolean;
}

/** An image's header is damaged, or made to do harm. */
export class ImageHeaderError extends Error {
  override readonly name: string = "ImageHeaderError";
  /** The format whose magic number was there. */
  readonly format: ImageFormat;

  constructor(format: ImageFormat, problem: string) {
    super(`${format} image header: ${problem}`);
    this.format = format;
  }
}
