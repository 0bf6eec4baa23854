export function pinnedImage(name: string, repoDigests: readonly string[]): string;
