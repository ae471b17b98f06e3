import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import type { Rendered } from './chart.js';

/** Exists for the compiler only; beside this file, so that packages resolve from here. */
const FILE = fileURLToPath(new URL('rendered-objects.ts', import.meta.url));

/** Kinds of other projects, whose types we do not have. */
const FOREIGN = ['monitoring.coreos.com/v1'];

/**
 * What Kubernetes' own types say of rendered objects: the compiler looks at each as a literal of its kind, so that a field
 * that does not exist, lacks or has the wrong type is found at any depth. An API server is as strict, or worse: it drops what it does not know.
 */
export function typeFaults(objects: readonly Rendered[]): string[] {
  const lines: string[] = [];
  const names: string[] = [''];
  for (const object of objects.filter(({ apiVersion }) => !FOREIGN.includes(apiVersion))) {
    const [group = '', version] = object.apiVersion.includes('/') ? object.apiVersion.split('/') : ['core', object.apiVersion];
    const module = `kubernetes-types/${group.split('.')[0]}/${version}.js`;
    // One object a line: the line of a fault names the object.
    lines.push(`export const object${names.length}: import('${module}').${object.kind} = ${JSON.stringify(object)};`);
    names.push(`${object.kind}/${object.metadata.name}`);
  }
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: [],
    lib: ['lib.es2022.d.ts'],
    skipLibCheck: true,
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  const text = lines.join('\n');
  host.fileExists = (path) => path === FILE || fileExists(path);
  host.readFile = (path) => (path === FILE ? text : readFile(path));
  host.getSourceFile = (path, ...rest) =>
    path === FILE ? ts.createSourceFile(path, text, ts.ScriptTarget.ES2022) : getSourceFile.call(host, path, ...rest);
  const program = ts.createProgram([FILE], options, host);
  return ts.getPreEmitDiagnostics(program).map((fault) => {
    const line = fault.file === undefined ? 0 : fault.file.getLineAndCharacterOfPosition(fault.start ?? 0).line + 1;
    return `${names[line]}: ${ts.flattenDiagnosticMessageText(fault.messageText, ' ')}`;
  });
}
