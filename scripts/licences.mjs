// The licences of packages, for the files that contain their code.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const LICENCE = /^(licen[cs]e|copying|copyright|notice)/i;
/**
 * Licence texts of packages without a licence file, as files below the root. For a source file, it is the comment
 * at its start.
 */
const LICENCE_TEXTS = {
  '@assemblyscript/loader': ['LICENSE'],
  '@bufbuild/protobuf': ['LICENSE', 'node_modules/@bufbuild/protobuf/dist/esm/wire/varint.js'],
};
/** Files of packages with a further licence at their start, which their licence file does not contain. */
const FURTHER_LICENCES = { pako: 'lib/zlib/inflate.js' };

/** Whether a file name is that of a licence. */
export const isLicence = (name) => LICENCE.test(name);

/** The name, version and licence of the package in a folder. */
const manifestOf = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

/** The names of the licence files in the folder of a package. */
export const licenceFiles = (folder) => readdirSync(folder).filter(isLicence).sort();

/**
 * The licence of a package that has no licence file.
 *
 * @param root - the folder of the project
 * @throws Error if the text is not known
 */
export function licenceWithoutFile(root, folder) {
  const { name, license } = manifestOf(folder);
  const sources = LICENCE_TEXTS[name];
  if (!sources)
    throw new Error(
      `${name} (${license}) has no licence file: add its text to LICENCE_TEXTS in ${import.meta.url}`,
    );
  const texts = sources.map((source) => {
    const text = readFileSync(join(root, source), 'utf8');
    return source.endsWith('.js') ? commentAtTheTop(text) : text;
  });
  return [`${name}: ${license}`, ...texts].join('\n\n');
}

/**
 * The packages in node_modules from which a bundle has code.
 *
 * @param inputs - the input files of the bundle, from esbuild
 * @returns the paths of their folders, sorted
 */
export function bundledPackages(inputs) {
  const folders = inputs.map((input) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0]);
  return [...new Set(folders.filter(Boolean))].sort();
}

/**
 * One text with the licences of packages.
 *
 * @param root - the folder of the project
 * @param paths - the folders of the packages below the root
 */
export function licencesOf(root, paths) {
  return paths
    .map((path) => {
      const folder = join(root, path);
      const { name, version, license } = manifestOf(folder);
      const files = licenceFiles(folder);
      const texts =
        files.length > 0
          ? files.map((file) => readFileSync(join(folder, file), 'utf8').trim())
          : [licenceWithoutFile(root, folder).trim()];
      const further = FURTHER_LICENCES[name];
      if (further) texts.push(commentAtTheTop(readFileSync(join(folder, further), 'utf8')));
      return `${name} ${version}: ${license}\n\n${texts.join('\n\n')}\n`;
    })
    .join(`\n${'-'.repeat(78)}\n\n`);
}

/** The first comment of a source file. */
function commentAtTheTop(source) {
  const all = source.split('\n');
  const lines = all.slice(all.findIndex((line) => line.startsWith('//')));
  const end = lines.findIndex((line) => !line.startsWith('//'));
  return lines
    .slice(0, end)
    .map((line) => line.replace(/^\/\/ ?/, ''))
    .join('\n');
}
