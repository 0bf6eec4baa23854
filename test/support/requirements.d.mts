export declare function helmUnittest(env?: NodeJS.ProcessEnv): string;
export declare function pythonCommand(env?: NodeJS.ProcessEnv): string;
export declare function composeCommand(): string[] | undefined;
export declare const GRPCURL_VERSIONS: readonly string[];
export declare function grpcurlCommand(version: string, env?: NodeJS.ProcessEnv): string;
export declare const ACTIONLINT_VERSION: string;
export declare function actionlintCommand(env?: NodeJS.ProcessEnv): string;
export declare function isAvailable(
  name:
    | 'spread'
    | 'spread-home'
    | 'spread-valgrind'
    | 'spread-cluster'
    | 'namespaces'
    | 'docker'
    | 'compose'
    | 'python'
    | 'python-testcontainers'
    | 'packages'
    | 'python-build'
    | 'python-reflection'
    | 'python-prometheus'
    | 'grpcurl'
    | 'actionlint'
    | 'cpp'
    | 'ruby'
    | 'php'
    | 'go'
    | 'java'
    | 'rust'
    | 'promtool'
    | 'helm'
    | 'both-helms'
    | 'helm-unittest'
    | 'cluster'
    | 'kubernetes-schemas',
  env?: NodeJS.ProcessEnv,
): boolean;
export declare function missingParts(
  env: NodeJS.ProcessEnv,
): { name: string; what: string; enable: string }[];
export declare function requiredParts(env: NodeJS.ProcessEnv): string[];
