import { XMLParser, XMLValidator } from "fast-xml-parser";

/** The largest document that is read, in characters: a domain with 1000 disks has about 1 MB. */
const sizeMax = 8 * 1024 * 1024;

type Node = Record<string, unknown>;

const attributesKey = ":@";
const textKey = "#text";

const named: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** The five entities of XML and numbered characters; the parser's own entities stay off, so none can be defined. */
function decodeEntities(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9A-Fa-f]{1,6})|([a-z]{2,4}));/g, (whole, decimal, hex, name) => {
    if (name !== undefined) return named[name as string] ?? whole;
    const code = decimal === undefined ? parseInt(hex as string, 16) : Number(decimal);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

/** An element of a document, to be looked into. */
export class XmlElement {
  readonly name: string;
  readonly #attributes: Readonly<Record<string, unknown>>;
  readonly #children: readonly Node[];

  constructor(name: string, attributes: Readonly<Record<string, unknown>>, children: readonly Node[]) {
    this.name = name;
    this.#attributes = attributes;
    this.#children = children;
  }

  /**
   * Reads a document.
   * @returns its root
   * @throws Error saying what is wrong with it
   */
  static parse(text: string): XmlElement {
    if (text.length > sizeMax)
      throw new Error(`it has ${text.length} characters, and more than ${sizeMax} are not read`);
    if (text.includes("<!DOCTYPE")) throw new Error("it has a DOCTYPE");
    const valid = XMLValidator.validate(text);
    if (valid !== true) throw new Error(`line ${valid.err.line}: ${valid.err.msg}`);
    const parser = new XMLParser({
      preserveOrder: true,
      ignoreAttributes: false,
      attributeNamePrefix: "",
      processEntities: false,
      parseTagValue: false,
      parseAttributeValue: false,
      trimValues: true,
      ignoreDeclaration: true,
      ignorePiTags: true,
    });
    const [root] = elementsIn(parser.parse(text) as readonly Node[]);
    if (!root) throw new Error("it has no element");
    return root;
  }

  /** The value of an attribute; `undefined` when there is none. */
  attribute(name: string): string | undefined {
    const value = Object.hasOwn(this.#attributes, name) ? this.#attributes[name] : undefined;
    return typeof value === "string" ? decodeEntities(value) : undefined;
  }

  /** The text right inside the element. */
  get text(): string {
    return this.#children
      .map((child) => child[textKey])
      .filter((text) => typeof text === "string")
      .map(decodeEntities)
      .join("");
  }

  /** The elements right inside it that have this name. */
  all(name: string): XmlElement[] {
    return elementsIn(this.#children).filter((child) => child.name === name);
  }

  /** The first of {@link all}. */
  first(name: string): XmlElement | undefined {
    return this.all(name)[0];
  }
}

function elementsIn(nodes: readonly Node[]): XmlElement[] {
  return nodes.flatMap((node) => {
    const name = Object.keys(node).find((key) => key !== attributesKey && key !== textKey);
    if (name === undefined) return [];
    const attributes = (node[attributesKey] ?? {}) as Record<string, unknown>;
    const children = node[name];
    return [new XmlElement(name, attributes, Array.isArray(children) ? (children as Node[]) : [])];
  });
}
