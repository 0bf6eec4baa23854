export { type ListedOption, listConfig } from './list.js';
export {
  type ConfigSources,
  configFilePath,
  defaultConfig,
  type LoadedConfig,
  type LoadOptions,
  loadConfig,
} from './load.js';
export { ConfigError, type Mistake } from './mistakes.js';
export { flagsFromOptions, type OptionFlag, optionFlags, sectionTitles } from './option-flags.js';
export type { OptionKey, SidecarConfig } from './options.js';
export { includes, isIpv6Only, type PlannedAddress, plannedAddresses } from './planned-addresses.js';
export { printConfig } from './print.js';
export type { Source } from './sources/entry.js';
export { readTokenFile, type TokenLine } from './token-file.js';
export type { TcpAddress, UnixAddress } from './values/addresses.js';
