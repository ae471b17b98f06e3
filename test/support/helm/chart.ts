import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, it } from '@jest/globals';
import { parse, parseAllDocuments, stringify } from 'yaml';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
export const CHART = join(ROOT, 'helm/exeunt');

/** A Kubernetes object as rendered; looked at, never trusted, so without types of its own below the top. */
export interface Rendered {
  apiVersion: string;
  kind: string;
  metadata: { name: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  // The shape differs with the kind; the assertions say what it must be.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  [field: string]: any;
}

export type Values = Record<string, unknown>;

/** The checked-in variants, each with the values that `helm install -f` would take: what the chart promises to render. */
export async function readCases(): Promise<[name: string, values: Values][]> {
  const files = (await readdir(join(CHART, 'ci'))).filter((name) => name.endsWith('-values.yaml')).sort();
  return Promise.all(
    files.map(async (name): Promise<[string, Values]> => [
      name.replace('-values.yaml', ''),
      parse(await readFile(join(CHART, 'ci', name), 'utf8')) as Values,
    ]),
  );
}

/** As helm: mappings are merged, null takes a default away, everything else is replaced. */
export function mergeValues(defaults: Values, given: Values): Values {
  const merged: Values = { ...defaults };
  for (const [key, value] of Object.entries(given)) {
    if (value === null) delete merged[key];
    else merged[key] = isMapping(value) && isMapping(merged[key]) ? mergeValues(merged[key], value) : value;
  }
  return merged;
}

function isMapping(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Renders the chart with real templates: `helm` where there is one, else our own renderer over the same Go libraries. */
export class Renderer {
  private constructor(
    private readonly folder: string,
    private readonly helm: boolean,
  ) {}

  static async create(): Promise<Renderer> {
    const folder = await mkdtemp(join(tmpdir(), 'exeunt-helm-'));
    if (has('helm')) return new Renderer(folder, true);
    const env = { ...process.env, GO111MODULE: 'off', GOPATH: '/usr/share/gocode', CGO_ENABLED: '0', GOFLAGS: '' };
    await run('go', ['build', '-o', join(folder, 'render'), join(ROOT, 'test/support/helm/render.go')], { env });
    return new Renderer(folder, false);
  }

  /** @throws with what the templates say when they refuse the values. */
  async render(values: Values, release = 'exeunt'): Promise<Rendered[]> {
    const file = await this.valuesFile(values);
    const text = this.helm
      ? await output('helm', ['template', release, CHART, '--namespace', 'default', '--values', file])
      : await output(join(this.folder, 'render'), [CHART, release, file]);
    return parseAllDocuments(text)
      .map((document) => {
        if (document.errors.length > 0) throw document.errors[0] as Error;
        return document.toJS() as Rendered | null;
      })
      .filter((object) => object !== null);
  }

  /** What helm prints after an install. */
  async notes(values: Values, release = 'exeunt'): Promise<string> {
    const file = await this.valuesFile(values);
    if (!this.helm) return output(join(this.folder, 'render'), ['--notes', CHART, release, file]);
    return output('helm', ['install', release, CHART, '--dry-run=client', '--namespace', 'default', '--values', file]);
  }

  async close(): Promise<void> {
    await rm(this.folder, { recursive: true });
  }

  private async valuesFile(values: Values): Promise<string> {
    const file = join(await mkdtemp(join(this.folder, 'values-')), 'values.yaml');
    // Helm reads YAML 1.1, where a bare `yes` is no string.
    await writeFile(file, stringify(values, { version: '1.1' }));
    return file;
  }
}

async function output(program: string, args: string[]): Promise<string> {
  return (await run(program, args, { maxBuffer: 16 * 1024 * 1024 })).stdout;
}

function has(program: string): boolean {
  return spawnSync(program, ['version'], { stdio: 'ignore' }).status === 0;
}

/**
 * A suite that renders the chart. Without helm and without Go its tests are left out: one skipped test says so, and with
 * `CI=true` it is a failure.
 */
export function describeRendered(name: string, suite: (renderer: () => Renderer) => void): void {
  const wanted = 'helm, or Go (golang-go, golang-github-masterminds-sprig-dev, golang-k8s-sigs-yaml-dev)';
  if (has('helm') || has('go')) {
    describe(name, () => {
      let renderer: Renderer;
      // The first build of a fresh machine compiles Go's own library, too.
      beforeAll(async () => {
        renderer = await Renderer.create();
      }, 180_000);
      afterAll(() => renderer.close());
      suite(() => renderer);
    });
    return;
  }
  describe(name, () => {
    if (process.env.CI === 'true') {
      it('needs a renderer', () => {
        throw new Error(`"${name}" needs ${wanted}, and neither is on this machine: install one (with CI=true nothing is left out)`);
      });
    } else {
      it.skip(`left out: rendering needs ${wanted}`, () => undefined);
    }
  });
}
