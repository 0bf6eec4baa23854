import { create, type DescMessage, fromBinary, toBinary } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import { type DescriptorFile, DescriptorIndex } from './descriptor-index.js';
import { DESCRIPTOR_SET } from './descriptors.js';

/** The request's oneof, with the field names of reflection.proto. */
type Question =
  | {
      case: 'fileByFilename' | 'fileContainingSymbol' | 'allExtensionNumbersOfType' | 'listServices';
      value: string;
    }
  | { case: 'fileContainingExtension'; value: { containingType: string; extensionNumber: number } }
  | { case: undefined; value?: undefined };

/** The response's oneof. */
type Answer =
  | { case: 'fileDescriptorResponse'; value: { fileDescriptorProto: Uint8Array[] } }
  | { case: 'allExtensionNumbersResponse'; value: { baseTypeName: string; extensionNumber: number[] } }
  | { case: 'listServicesResponse'; value: { service: { name: string }[] } }
  | { case: 'errorResponse'; value: { errorCode: number; errorMessage: string } };

/** One reflection stream. It can omit files that it has sent before. */
export type ReflectionStream = (request: Uint8Array) => Uint8Array;

/**
 * Responds to server reflection with the descriptors that buf generated. Slow to load: import it when the first
 * request arrives.
 */
export class ReflectionAnswers {
  readonly #index = new DescriptorIndex(Buffer.from(DESCRIPTOR_SET, 'base64'));
  readonly #services: readonly string[];

  /** @param services full names in the response to list_services */
  constructor(services: readonly string[]) {
    this.#services = services;
  }

  /**
   * Starts a stream.
   *
   * @param version which of the two equal protocols: the messages differ only in their names
   * @returns a function from an encoded ServerReflectionRequest to an encoded ServerReflectionResponse; throws
   * when the bytes are not such a request
   */
  stream(version: 'v1' | 'v1alpha'): ReflectionStream {
    const typeOf = (name: string): DescMessage => this.#index.message(`grpc.reflection.${version}.${name}`)!;
    const requestType = typeOf('ServerReflectionRequest');
    const responseType = typeOf('ServerReflectionResponse');
    const sent = new Set<DescriptorFile>();
    return (bytes) => {
      const request = fromBinary(requestType, bytes) as unknown as { host: string; messageRequest: Question };
      const response = {
        validHost: request.host,
        originalRequest: request,
        messageResponse: this.#answer(request.messageRequest, sent),
      };
      return toBinary(responseType, create(responseType, response as never));
    };
  }

  #answer(question: Question, sent: Set<DescriptorFile>): Answer {
    switch (question.case) {
      case 'listServices':
        return {
          case: 'listServicesResponse',
          value: { service: this.#services.map((name) => ({ name })) },
        };
      case 'fileByFilename':
        return filesFrom(this.#index.byName(question.value), sent, `file ${question.value}`);
      case 'fileContainingSymbol':
        return filesFrom(this.#index.bySymbol(question.value), sent, `symbol ${question.value}`);
      case 'fileContainingExtension': {
        const { containingType, extensionNumber } = question.value;
        const file = this.#index.byExtension(containingType, extensionNumber);
        return filesFrom(file, sent, `extension ${extensionNumber} of ${containingType}`);
      }
      case 'allExtensionNumbersOfType': {
        const extensionNumber = this.#index.extensionNumbers(question.value);
        if (extensionNumber === undefined) return notFound(`message ${question.value}`);
        const value = { baseTypeName: question.value, extensionNumber };
        return { case: 'allExtensionNumbersResponse', value };
      }
      case undefined:
        return failure(status.INVALID_ARGUMENT, 'the request has no message_request');
    }
  }
}

/** The file, then those of its direct and indirect imports that the stream has not sent yet. */
function filesFrom(file: DescriptorFile | undefined, sent: Set<DescriptorFile>, what: string): Answer {
  if (file === undefined) return notFound(what);
  const files = new Set([file]);
  // The iteration over a set includes elements that are added meanwhile.
  for (const { imports } of files)
    for (const imported of imports) if (!sent.has(imported)) files.add(imported);
  for (const one of files) sent.add(one);
  const fileDescriptorProto = [...files].map(({ bytes }) => bytes);
  return { case: 'fileDescriptorResponse', value: { fileDescriptorProto } };
}

const notFound = (what: string): Answer => failure(status.NOT_FOUND, `reflection has no ${what}`);

function failure(errorCode: status, errorMessage: string): Answer {
  return { case: 'errorResponse', value: { errorCode, errorMessage } };
}
