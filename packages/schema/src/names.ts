// The names of the schema, and each is asked for with every call.
const camelCases = new Map<string, string>();

/** `part_get_mbr_id` to `partGetMbrId`: the method or parameter name in TypeScript. */
export function camelCase(wireName: string): string {
  let name = camelCases.get(wireName);
  if (name === undefined) {
    name = wireName.replace(/_([a-zA-Z0-9])/g, (_, letter: string) => letter.toUpperCase());
    camelCases.set(wireName, name);
  }
  return name;
}

/** `part_get_mbr_id` to `part-get-mbr-id`: the shell's name. */
export function kebabCase(wireName: string): string {
  return wireName.replaceAll("_", "-");
}

/** `lvm_pv` to `LvmPv`: the TypeScript name of a struct, `MkfsOptions` and the like. */
export function pascalCase(wireName: string): string {
  const camel = camelCase(wireName);
  return camel.charAt(0).toUpperCase() + camel.slice(1);
}
