export declare function helmCommand(major: '3' | '4', env?: NodeJS.ProcessEnv): string | undefined;
export declare function hasHelm(env?: NodeJS.ProcessEnv): boolean;
