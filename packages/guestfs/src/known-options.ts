/**
 * Finds misspelt options.
 * @throws TypeError when `options` has others than those named
 */
export function requireKnown(owner: string, options: object, names: Readonly<Record<string, true>>): void {
  for (const name of Object.keys(options))
    if (!Object.hasOwn(names, name))
      throw new TypeError(`${owner}: unknown option ${name}; there are ${Object.keys(names).join(", ")}`);
}
