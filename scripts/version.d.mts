export declare const places: readonly (readonly [file: string, pattern: RegExp])[];
export declare function versions(): { file: string; version: string }[];
export declare function setVersion(version: string): void;
