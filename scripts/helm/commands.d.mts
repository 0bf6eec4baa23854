export declare function helmCommand(major: '3' | '4', env?: NodeJS.ProcessEnv): string | undefined;
export declare function helmMajors(env?: NodeJS.ProcessEnv): ('3' | '4')[];
