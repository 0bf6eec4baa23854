export declare const root: string;
export declare function ensureBuilt(): Promise<void>;
export declare function alone<Result>(work: () => Result | Promise<Result>, lock?: string): Promise<Result>;
