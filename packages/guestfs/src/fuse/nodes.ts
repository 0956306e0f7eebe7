/** The node of the top folder. */
export const rootNode = 1;

interface Node {
  readonly id: number;
  parent: Node | undefined;
  /** Name in the parent; the library's text, in which any bytes can be. */
  name: string;
  readonly children: Map<string, Node>;
  /** How often the kernel was told of it, less what it forgot. */
  lookups: number;
  /** How many open files lead to it. */
  opens: number;
  /** It was unlinked while it was open: to be removed with its last open file. */
  doomed: boolean;
}

/** The files that the kernel knows, and the paths that lead to them now. */
export class Nodes {
  readonly #byId = new Map<number, Node>();
  #last = rootNode;

  constructor() {
    this.#byId.set(rootNode, this.#make(rootNode, undefined, ""));
  }

  /** Path of a node; `undefined` when there is none, or it was removed. */
  path(id: number): string | undefined {
    let node = this.#byId.get(id);
    if (!node) return undefined;
    if (node.id === rootNode) return "/";
    let path = "";
    while (node.id !== rootNode) {
      path = `/${node.name}${path}`;
      if (!node.parent) return undefined;
      node = node.parent;
    }
    return path;
  }

  /** The node of a name, counted as told to the kernel. */
  tell(parent: number, name: string): number {
    const folder = this.#byId.get(parent);
    if (!folder) return 0;
    let node = folder.children.get(name);
    if (!node) {
      node = this.#make(++this.#last, folder, name);
      this.#byId.set(node.id, node);
      folder.children.set(name, node);
    }
    node.lookups++;
    return node.id;
  }

  /** The kernel forgets that it was told. */
  forget(id: number, count: number): void {
    const node = this.#byId.get(id);
    if (!node || id === rootNode) return;
    node.lookups -= count;
    this.#dropUnused(node);
  }

  /** The node of a name, when the kernel knows it. */
  known(parent: number, name: string): number | undefined {
    return this.#byId.get(parent)?.children.get(name)?.id;
  }

  isOpen(id: number | undefined): boolean {
    return id !== undefined && (this.#byId.get(id)?.opens ?? 0) > 0;
  }

  opened(id: number): void {
    const node = this.#byId.get(id);
    if (node) node.opens++;
  }

  /** @returns whether the file is to be removed now */
  closed(id: number): boolean {
    const node = this.#byId.get(id);
    if (!node) return false;
    node.opens--;
    return node.opens === 0 && node.doomed;
  }

  /** The file is to be removed when it is no longer open. */
  doom(id: number): void {
    const node = this.#byId.get(id);
    if (node) node.doomed = true;
  }

  /** A name is gone. */
  removed(parent: number, name: string): void {
    const node = this.#byId.get(parent)?.children.get(name);
    if (!node) return;
    node.parent?.children.delete(name);
    node.parent = undefined;
  }

  /** A name has become another one, which replaces what had it. */
  renamed(parent: number, name: string, newParent: number, newName: string): void {
    this.removed(newParent, newName);
    const node = this.#byId.get(parent)?.children.get(name);
    const folder = this.#byId.get(newParent);
    if (!node || !folder) return;
    node.parent?.children.delete(name);
    node.parent = folder;
    node.name = newName;
    folder.children.set(newName, node);
  }

  #make(id: number, parent: Node | undefined, name: string): Node {
    return { id, parent, name, children: new Map(), lookups: 0, opens: 0, doomed: false };
  }

  /** A node stays while the kernel knows it or something below it. */
  #dropUnused(node: Node): void {
    if (node.lookups > 0 || node.children.size > 0 || node.id === rootNode) return;
    this.#byId.delete(node.id);
    const { parent } = node;
    if (!parent) return;
    if (parent.children.get(node.name) === node) parent.children.delete(node.name);
    this.#dropUnused(parent);
  }
}
