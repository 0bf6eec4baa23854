import { createFileRegistry, type DescFile, type DescMessage, fromBinary } from '@bufbuild/protobuf';
import { nestedTypes } from '@bufbuild/protobuf/reflect';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

/** A file in the output of the compiler. */
export interface DescriptorFile {
  /** Import path, such as `spread/sidecar/v1/types.proto`. */
  readonly name: string;
  /** The FileDescriptorProto, byte for byte. */
  readonly bytes: Uint8Array;
  readonly imports: readonly DescriptorFile[];
}

/** Finds the files of a FileDescriptorSet by their declarations. */
export class DescriptorIndex {
  readonly #messages = new Map<string, DescMessage>();
  readonly #files = new Map<string, DescriptorFile>();
  readonly #symbols = new Map<string, DescriptorFile>();
  readonly #extensions = new Map<string, Map<number, DescriptorFile>>();

  /** @param set a FileDescriptorSet with every import before the files that import it */
  constructor(set: Uint8Array) {
    const encoded = filesOf(set);
    const decoded = fromBinary(FileDescriptorSetSchema, set);
    const registry = createFileRegistry(decoded);
    decoded.file.forEach(({ name, dependency }, position) => {
      const imports = dependency.map((path) => this.#files.get(path)!);
      const file = { name, bytes: encoded[position]!, imports };
      this.#files.set(name, file);
      this.#addSymbols(registry.getFile(name)!, file);
    });
  }

  message(typeName: string): DescMessage | undefined {
    return this.#messages.get(typeName);
  }

  byName(name: string): DescriptorFile | undefined {
    return this.#files.get(name);
  }

  /** @param symbol full name of a message, field, oneof, enum, enum value, service, method or extension */
  bySymbol(symbol: string): DescriptorFile | undefined {
    return this.#symbols.get(symbol);
  }

  byExtension(typeName: string, number: number): DescriptorFile | undefined {
    return this.#extensions.get(typeName)?.get(number);
  }

  /** Numbers of all known extensions of a message. Undefined for an unknown message. */
  extensionNumbers(typeName: string): number[] | undefined {
    if (!this.#messages.has(typeName)) return undefined;
    return [...(this.#extensions.get(typeName)?.keys() ?? [])];
  }

  #addSymbols(desc: DescFile, file: DescriptorFile): void {
    const add = (symbol: string) => this.#symbols.set(symbol, file);
    for (const type of nestedTypes(desc)) {
      add(type.typeName);
      switch (type.kind) {
        case 'message':
          this.#messages.set(type.typeName, type);
          for (const { name } of [...type.fields, ...type.oneofs]) add(`${type.typeName}.${name}`);
          // The library hides the entries of maps, which are messages for all other tools.
          for (const { name, field } of type.proto.nestedType.filter(({ options }) => options?.mapEntry))
            for (const symbol of [name, ...field.map((one) => `${name}.${one.name}`)])
              add(`${type.typeName}.${symbol}`);
          break;
        case 'enum': {
          // The values of an enum are siblings of the enum, as in C++.
          const scope = type.typeName.slice(0, -type.name.length);
          for (const { name } of type.values) add(`${scope}${name}`);
          break;
        }
        case 'service':
          for (const { name } of type.methods) add(`${type.typeName}.${name}`);
          break;
        case 'extension': {
          const numbers = this.#extensions.get(type.extendee.typeName) ?? new Map<number, DescriptorFile>();
          this.#extensions.set(type.extendee.typeName, numbers.set(type.number, file));
          break;
        }
      }
    }
  }
}

/** The encoded files of a FileDescriptorSet: `repeated FileDescriptorProto file = 1`. */
function filesOf(set: Uint8Array): Uint8Array[] {
  const reader = new BinaryReader(set);
  const files: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) files.push(reader.bytes());
    else reader.skip(wireType, field);
  }
  return files;
}
