/** The word that makes guestfish the background process of `--listen`; nobody else has a use for it. */
export const listenerArgument = "--background-listener";
