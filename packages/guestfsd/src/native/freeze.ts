import { ioctlNumber } from "./file.ts";

// linux/fs.h
const FIFREEZE = 0xc0045877;
const FITHAW = 0xc0045878;

/** Brings a filesystem to a consistent state on its disk and holds every writer. Returns when that is done. */
export const freezeFilesystem = (fd: number): void => void ioctlNumber(fd, FIFREEZE, 0);

/** @throws SystemError EINVAL when it is not frozen */
export const thawFilesystem = (fd: number): void => void ioctlNumber(fd, FITHAW, 0);
