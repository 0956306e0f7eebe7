import type { CallContext } from "../call-context.ts";
import { StateError } from "../errors.ts";
import type { LibraryFunctions } from "./library.ts";

function notAsked({ handle, procedure }: CallContext): never {
  throw new StateError("libvirt asks for no credentials: it does so only during the event libvirt_auth", handle.state, {
    procedure,
  });
}

/** Answering libvirt's questions for credentials. Nothing of this library asks libvirt yet, so there is never a question. */
export const credentialFunctions: LibraryFunctions<
  | "getLibvirtRequestedCredentialChallenge"
  | "getLibvirtRequestedCredentialDefresult"
  | "getLibvirtRequestedCredentialPrompt"
  | "getLibvirtRequestedCredentials"
  | "setLibvirtRequestedCredential"
  | "setLibvirtSupportedCredentials"
> = {
  getLibvirtRequestedCredentialChallenge: notAsked,
  getLibvirtRequestedCredentialDefresult: notAsked,
  getLibvirtRequestedCredentialPrompt: notAsked,
  getLibvirtRequestedCredentials: notAsked,
  setLibvirtRequestedCredential: notAsked,
  setLibvirtSupportedCredentials({ handle }, types) {
    const known = [
      "username",
      "authname",
      "language",
      "cnonce",
      "passphrase",
      "echoprompt",
      "noechoprompt",
      "realm",
      "external",
    ];
    for (const type of types)
      if (!known.includes(type))
        throw new RangeError(
          `set_libvirt_supported_credentials: creds: ${JSON.stringify(type)} is none of ${known.join(", ")}`,
        );
    handle.settings.libvirtCredentials = [...types];
  },
};
