/** Program number in every header. */
export const programNumber = 0x2000f5f5;
/** Protocol version in every header. */
export const protocolVersion = 4;
/** The word a daemon sends once to greet its client. */
export const launchFlag = 0xf5f55ff5;
/** The word that asks the sender of a file to stop. */
export const cancelFlag = 0xffffeeee;
/** The word before a progress message. */
export const progressFlag = 0xffff5555;
/** The word that gives a piece of the window back to the sender of a file. */
export const windowFlag = 0xffff3333;
/** Serial number of the disk that the window is on. */
export const windowSerial = "guestfs-window";
/** Size of our library's windows, in bytes. */
export const windowSize: number = 4 * 1024 * 1024;
/** Largest message in bytes, length word excluded. */
export const messageMax: number = 4 * 1024 * 1024;
/** Largest chunk of file data that a stock peer takes, in bytes. */
export const chunkMax = 8192;
/** Largest chunk that our two ends agree on, in bytes. */
export const extendedChunkMax: number = 1024 * 1024;
/** Longest error message in an error reply, in bytes. */
export const errorMessageMax = 65536;
/** Longest errno name in an error reply, in bytes. */
export const errnoNameMax = 32;
/** Serial of a client's first call. */
export const firstSerial = 0x123400;
/** Names in one call of the list calls that the library cuts into batches. */
export const namesPerCall = 1000;
/** Time before the first progress message, in milliseconds. */
export const progressInitialDelay = 2000;
/** Time between progress messages, in milliseconds. */
export const progressPeriod = 333;
