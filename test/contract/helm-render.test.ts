import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { VARIABLES } from '../../src/platform/config/read-environment.js';
import { loadConfig } from '#platform/config';
import type { Config } from '#platform/config';
import { CHART, describeRendered, readCases } from '../support/helm/chart.js';
import type { Rendered, Values } from '../support/helm/chart.js';
import { typeFaults } from '../support/helm/kubernetes-types.js';

const SECRET_VARIABLES = ['DATABASE_URL', 'REDIS_URL', 'EXEUNT_MASTER_KEY', 'EXEUNT_ADMIN_TOKEN'];
const LEAST: Values = { secrets: { existingSecret: 'exeunt-secrets' } };

const cases = await readCases();
const chart = parse(await readFile(join(CHART, 'Chart.yaml'), 'utf8')) as Record<string, string>;

const ofKind = (objects: Rendered[], ...kinds: string[]) => objects.filter(({ kind }) => kinds.includes(kind));
const called = (objects: Rendered[], kind: string, name: string) => {
  const found = objects.filter((one) => one.kind === kind && one.metadata.name === name);
  expect({ kind, name, found: found.length }).toEqual({ kind, name, found: 1 });
  return found[0] as Rendered;
};
/** Everything that runs: its own name, the pod's labels and the pod's specification. */
const pods = (objects: Rendered[]) =>
  ofKind(objects, 'Deployment', 'Job', 'Pod').map((one) =>
    one.kind === 'Pod'
      ? { name: one.metadata.name, metadata: one.metadata, spec: one.spec }
      : { name: one.metadata.name, metadata: one.spec.template.metadata, spec: one.spec.template.spec },
  );
const containers = (objects: Rendered[]) =>
  pods(objects).flatMap(({ name, spec }) =>
    [...spec.containers, ...(spec.initContainers ?? [])].map((container: Record<string, never>) => ({ name, container })),
  );
// What is asserted about a variable says what it must look like.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
const variables = (container: { env?: { name: string }[] }): Record<string, any> =>
  Object.fromEntries((container.env ?? []).map((one) => [one.name, one]));
/** What the program itself makes of a configuration file. */
async function load(text: string): Promise<{ config?: Config; fault?: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'exeunt-config-'));
  try {
    await writeFile(join(folder, 'exeunt.yaml'), text);
    return { config: loadConfig({ env: { EXEUNT_CONFIG: 'exeunt.yaml' }, cwd: folder }) };
  } catch (error) {
    return { fault: String(error) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

const matches = (selector: Record<string, string>, labels: Record<string, string> | undefined) =>
  Object.entries(selector).every(([key, value]) => labels?.[key] === value);

describeRendered('the rendered chart', (renderer) => {
  describe.each(cases)('with the %s values', (name, values) => {
    let objects: Rendered[];
    let exceptHooks: Rendered[];

    beforeAll(async () => {
      objects = await renderer().render(values);
      exceptHooks = objects.filter(({ metadata }) => metadata.annotations?.['helm.sh/hook'] === undefined);
    });

    test('has each object once, named and labelled as Kubernetes recommends', () => {
      const names = objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
      expect(names).toEqual([...new Set(names)]);
      for (const { kind, apiVersion, metadata } of objects) {
        expect({ kind, apiVersion }).toEqual({ kind, apiVersion: expect.stringMatching(/^(v1|[a-z.0-9]+\/v[0-9a-z]+)$/) });
        expect(metadata.name).toMatch(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/);
        expect(metadata.labels).toMatchObject({
          'app.kubernetes.io/instance': 'exeunt',
          'app.kubernetes.io/component': expect.any(String),
          'app.kubernetes.io/version': chart.appVersion,
          'app.kubernetes.io/managed-by': 'Helm',
          'helm.sh/chart': `exeunt-${chart.version}`,
        });
      }
    });

    test('hardens every container and every pod', () => {
      expect(containers(objects).length).toBeGreaterThanOrEqual(3);
      for (const { container } of containers(objects)) {
        expect(container.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          runAsNonRoot: true,
          capabilities: { drop: ['ALL'] },
        });
        expect(container.resources).toMatchObject({ requests: { cpu: expect.any(String), memory: expect.any(String) } });
        expect(container.resources).toMatchObject({ limits: { memory: expect.any(String) } });
      }
      for (const { spec } of pods(objects)) {
        expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
        expect(spec).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false });
        expect([spec.hostNetwork, spec.hostPID, spec.hostIPC]).toEqual([undefined, undefined, undefined]);
        for (const volume of spec.volumes ?? []) expect(volume).not.toHaveProperty('hostPath');
      }
      for (const account of ofKind(objects, 'ServiceAccount')) expect(account.automountServiceAccountToken).toBe(false);
      expect(ofKind(objects, 'Role', 'ClusterRole', 'RoleBinding', 'ClusterRoleBinding')).toEqual([]);
    });

    test('gives every secret by reference, and none anywhere else', () => {
      const secret = (values.secrets as { existingSecret?: string }).existingSecret;
      for (const { name: pod, container } of containers(objects)) {
        for (const [variable, one] of Object.entries(variables(container)).filter(([variable]) => SECRET_VARIABLES.includes(variable))) {
          expect({ pod, variable, value: one.value }).toEqual({ pod, variable, value: undefined });
          expect(one.valueFrom.secretKeyRef.optional).toBeUndefined();
          const from = one.valueFrom.secretKeyRef.name;
          if (secret) expect(from).toBe(secret);
          else expect(called(objects, 'Secret', from).data).toHaveProperty([one.valueFrom.secretKeyRef.key]);
        }
      }
      expect(ofKind(objects, 'Secret').length).toBe(secret ? 0 : 2);
      const text = JSON.stringify(objects.filter(({ kind }) => kind !== 'Secret'));
      const inline = Object.values((values.secrets as { inline?: Record<string, string> }).inline ?? {});
      for (const value of inline) {
        expect(text).not.toContain(value);
        expect(text).not.toContain(Buffer.from(value).toString('base64'));
      }
    });

    test('selects its own pods and nobody else', () => {
      const running = pods(objects);
      const selectors = [
        ...ofKind(objects, 'Deployment', 'PodDisruptionBudget').map((one) => ({ one, selector: one.spec.selector.matchLabels, pods: 1 })),
        ...ofKind(objects, 'Service').map((one) => ({ one, selector: one.spec.selector, pods: 1 })),
        ...ofKind(objects, 'NetworkPolicy').map((one) => ({ one, selector: one.spec.podSelector.matchLabels, pods: 1 })),
        ...ofKind(objects, 'Deployment').flatMap((one) =>
          (one.spec.template.spec.topologySpreadConstraints ?? []).map((spread: { labelSelector: { matchLabels: object } }) => ({
            one,
            selector: spread.labelSelector.matchLabels,
            pods: 1,
          })),
        ),
      ];
      for (const { one, selector, pods: wanted } of selectors) {
        const found = running.filter(({ metadata }) => matches(selector as Record<string, string>, metadata.labels));
        expect({ object: `${one.kind}/${one.metadata.name}`, pods: found.length }).toEqual({
          object: `${one.kind}/${one.metadata.name}`,
          pods: wanted,
        });
      }
      for (const one of ofKind(objects, 'Deployment')) {
        // A selector is immutable: nothing in it may change with a version.
        expect(Object.keys(one.spec.selector.matchLabels).sort()).toEqual([
          'app.kubernetes.io/component',
          'app.kubernetes.io/instance',
          'app.kubernetes.io/name',
        ]);
      }
      for (const one of ofKind(objects, 'HorizontalPodAutoscaler')) called(objects, 'Deployment', one.spec.scaleTargetRef.name);
    });

    test('probes, serves and scrapes ports that the containers have', () => {
      for (const { spec, kind } of ofKind(objects, 'Deployment')) {
        const [container] = spec.template.spec.containers;
        const ports = container.ports.map((port: { name: string }) => port.name);
        for (const [probe, path] of [
          ['startupProbe', '/healthz'],
          ['livenessProbe', '/healthz'],
          ['readinessProbe', '/readyz'],
        ] as const) {
          expect({ kind, probe, get: container[probe]?.httpGet }).toEqual({ kind, probe, get: { path, port: 'http' } });
        }
        expect(ports).toEqual(['http']);
        expect(variables(container).PORT.value).toBe(String(container.ports[0].containerPort));
      }
      for (const service of ofKind(objects, 'Service')) {
        for (const port of service.spec.ports) expect(port).toMatchObject({ name: 'http', targetPort: 'http' });
      }
      for (const ingress of ofKind(objects, 'Ingress')) {
        for (const rule of ingress.spec.rules) {
          for (const path of rule.http.paths) {
            const service = called(objects, 'Service', path.backend.service.name);
            expect(service.spec.ports.map((port: { name: string }) => port.name)).toContain(path.backend.service.port.name);
            expect(path.path).not.toMatch(/^\/(metrics|healthz|readyz)?$/);
          }
        }
      }
      for (const monitor of ofKind(objects, 'ServiceMonitor')) {
        const scraped = ofKind(objects, 'Service').filter(({ metadata }) => matches(monitor.spec.selector.matchLabels, metadata.labels));
        expect(scraped.map(({ metadata }) => metadata.labels?.['app.kubernetes.io/component']).sort()).toEqual(['api', 'worker']);
        expect(monitor.spec.endpoints).toMatchObject([{ port: 'http', path: '/metrics' }]);
      }
    });

    test('mounts a configuration that the program accepts, and room to write', async () => {
      for (const { name: pod, spec } of pods(objects).filter((one) => one.metadata.labels['app.kubernetes.io/component'] !== 'test')) {
        const [container] = spec.containers;
        const mounts = Object.fromEntries(container.volumeMounts.map((one: { mountPath: string }) => [one.mountPath, one]));
        const volumes = Object.fromEntries(spec.volumes.map((one: { name: string }) => [one.name, one]));
        expect({ pod, missing: Object.values(mounts).filter((one) => volumes[(one as { name: string }).name] === undefined) }).toEqual({
          pod,
          missing: [],
        });
        const file = variables(container).EXEUNT_CONFIG.value as string;
        const folder = file.slice(0, file.lastIndexOf('/'));
        const map = called(objects, 'ConfigMap', volumes[mounts[folder].name].configMap.name);
        const { config, fault } = await load(map.data[file.slice(folder.length + 1)]);
        expect({ pod, fault }).toEqual({ pod, fault: undefined });
        expect(config).toMatchObject((values.config ?? {}) as Values);
        expect(volumes[mounts['/tmp'].name]).toHaveProperty('emptyDir.sizeLimit');
        expect(variables(container).EXEUNT_DATA_DIR.value).toMatch(/^\/tmp\//);
      }
    });

    test('runs an API and a worker, and lets a pod drain before it is killed', async () => {
      const drain = (await load(ofKind(exceptHooks, 'ConfigMap')[0]?.data['exeunt.yaml'])).config?.dispatch.drainSeconds ?? NaN;
      const deployments = ofKind(objects, 'Deployment');
      expect(deployments.map(({ spec }) => variables(spec.template.spec.containers[0]).EXEUNT_ROLE.value)).toEqual(['api', 'worker']);
      for (const { spec, metadata } of deployments) {
        const pod = spec.template.spec;
        const preStop = Number(pod.containers[0].lifecycle?.preStop.exec.command[1] ?? 0);
        expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(preStop + drain + 5);
        expect(pod.containers[0].command).toEqual(['node', 'dist/main.js']);
        expect(spec.template.metadata.annotations['checksum/config']).toMatch(/^[0-9a-f]{64}$/);
        // A replica count would fight with the autoscaler.
        const scaled = ofKind(objects, 'HorizontalPodAutoscaler').some((one) => one.spec.scaleTargetRef.name === metadata.name);
        expect('replicas' in spec).toBe(!scaled);
      }
    });

    test('needs nothing of the release for its hook that migrates', () => {
      const jobs = ofKind(objects, 'Job');
      expect(jobs.length).toBe(name === 'openshift' ? 0 : 1);
      for (const job of jobs) {
        expect(job.metadata.annotations).toMatchObject({ 'helm.sh/hook': 'pre-install,pre-upgrade', 'helm.sh/hook-weight': '0' });
        const { spec } = job.spec.template;
        expect(spec.restartPolicy).toBe('Never');
        expect(spec.containers[0].command).toEqual(['node', 'dist/main.js', 'migrate']);
        expect(spec.serviceAccountName).toBeUndefined();
        const [{ name: map }] = spec.volumes.flatMap((one: { name: string; configMap?: object }) =>
          one.name === 'config' ? [one.configMap] : [],
        );
        expect(called(objects, 'ConfigMap', map).metadata.annotations).toMatchObject({
          'helm.sh/hook': 'pre-install,pre-upgrade',
          'helm.sh/hook-weight': '-10',
        });
        const from = variables(spec.containers[0]).DATABASE_URL.valueFrom.secretKeyRef.name;
        for (const secret of ofKind(objects, 'Secret').filter(({ metadata }) => metadata.name === from)) {
          expect(secret.metadata.annotations).toMatchObject({ 'helm.sh/hook': 'pre-install,pre-upgrade' });
          expect(Object.keys(secret.data)).toEqual(['DATABASE_URL']);
        }
      }
    });
  });

  test("has only fields that Kubernetes' own types know, with values of their type", async () => {
    const rendered = (await Promise.all(cases.map(([, values]) => renderer().render(values)))).flat();
    expect(rendered.length).toBeGreaterThan(50);
    expect(typeFaults(rendered)).toEqual([]);
    // The judge itself: a field deep below that does not exist, one of the wrong type, one that lacks.
    const [deployment] = ofKind(rendered, 'Deployment');
    const broken = (breakIt: (pod: Record<string, Record<string, unknown>[]>) => void) => {
      const copy = structuredClone(deployment) as Rendered;
      breakIt(copy.spec.template.spec);
      return typeFaults([copy]);
    };
    expect(
      broken(({ containers }) => ((containers?.[0] as { securityContext: object }).securityContext = { privilegeEscalation: false })),
    ).toEqual([expect.stringContaining('\'"privilegeEscalation"\' does not exist')]);
    expect(broken(({ containers }) => ((containers?.[0] as { image: unknown }).image = 3))).toEqual([
      expect.stringContaining("'number' is not assignable"),
    ]);
    expect(broken(({ volumes }) => delete volumes?.[0]?.name)).toEqual([expect.stringContaining("Property 'name' is missing")]);
  }, 60_000);

  test('rolls the pods when the configuration changes, and only then', async () => {
    const checksums = async (config: Values) =>
      ofKind(await renderer().render({ ...LEAST, config }), 'Deployment').map(
        ({ spec }) => spec.template.metadata.annotations['checksum/config'] as string,
      );
    const [before, same, after] = [
      await checksums({ log: { level: 'info' } }),
      await checksums({ log: { level: 'info' } }),
      await checksums({ log: { level: 'warn' } }),
    ];
    expect(before).toEqual(same);
    expect(before).not.toEqual(after);
  });

  test('keeps large numbers whole on their way into the ConfigMap', async () => {
    const objects = await renderer().render({ ...LEAST, config: { server: { bodyLimitBytes: 104_857_600 } } });
    const { config } = await load(called(objects, 'ConfigMap', 'exeunt').data['exeunt.yaml']);
    expect(config?.server.bodyLimitBytes).toBe(104_857_600);
  });

  test('sets the variables that the program reads, and no other', async () => {
    const objects = await renderer().render({ ...LEAST, publicUrl: 'https://a.example', queue: { backend: 'redis' } });
    const known = [...Object.keys(VARIABLES), 'EXEUNT_CONFIG'];
    for (const { spec } of ofKind(objects, 'Deployment')) {
      const names = Object.keys(variables(spec.template.spec.containers[0]));
      expect(names.sort()).toEqual(known.filter((name) => name !== 'EXEUNT_ALLOW_PRIVATE_NETWORKS').sort());
    }
  });

  test('asks the Secret for Redis only where the queue is there', async () => {
    const names = (objects: Rendered[]) =>
      ofKind(objects, 'Deployment').map(({ spec }) => Object.keys(variables(spec.template.spec.containers[0])));
    for (const found of names(await renderer().render(LEAST))) expect(found).not.toContain('REDIS_URL');
    for (const found of names(await renderer().render({ ...LEAST, queue: { backend: 'redis' } }))) expect(found).toContain('REDIS_URL');
  });

  test('gives the migration the database and nothing else', async () => {
    const [job] = ofKind(await renderer().render({ ...LEAST, queue: { backend: 'redis' } }), 'Job');
    const [container] = job?.spec.template.spec.containers ?? [];
    expect(Object.keys(variables(container)).filter((one) => SECRET_VARIABLES.includes(one))).toEqual(['DATABASE_URL']);
  });

  test('closes its pods but for what they need, with the network policy', async () => {
    const objects = await renderer().render({ ...LEAST, networkPolicy: { enabled: true } });
    const policies = ofKind(objects, 'NetworkPolicy');
    expect(policies.map(({ metadata }) => metadata.labels?.['app.kubernetes.io/component'])).toEqual(['api', 'worker', 'migrate']);
    for (const { spec } of policies) expect(spec.policyTypes).toEqual(['Ingress', 'Egress']);
    expect(policies.map(({ spec }) => spec.ingress)).toEqual([[{ ports: [{ port: 'http', protocol: 'TCP' }] }], [], []]);
    const ports = policies.map(({ spec }) =>
      spec.egress.flatMap((rule: { ports: { port: number }[] }) => rule.ports.map(({ port }) => port)),
    );
    expect(ports).toEqual([
      [53, 53, 5432, 443],
      [53, 53, 5432, 443],
      [53, 53, 5432],
    ]);
    const [api] = policies;
    expect(api?.spec.egress.at(-1).to).toContainEqual({ ipBlock: { cidr: '0.0.0.0/0', except: ['169.254.0.0/16'] } });
  });

  test('keeps names within what Kubernetes takes, however long the release is called', async () => {
    const objects = await renderer().render(LEAST, 'a-release-whose-name-is-as-long-as-helm-allows-53-ch');
    for (const { metadata } of objects) {
      expect(metadata.name.length).toBeLessThanOrEqual(63);
      for (const value of Object.values(metadata.labels ?? {})) expect(value.length).toBeLessThanOrEqual(63);
    }
  });

  describe('refuses, with a reason', () => {
    const inline = {
      databaseUrl: 'postgres://u:p@h/d',
      masterKey: 'bm90IGEga2V5LCBqdXN0IGFuIGV4YW1wbGUgdmFsdWU=',
      adminToken: 'an-example-not-a-token',
    };
    test.each<[what: string, values: Values, reason: RegExp]>([
      ['no secrets at all', {}, /secrets\.existingSecret is empty: name a Secret with DATABASE_URL/],
      [
        'secrets from two places',
        { secrets: { existingSecret: 'a', inline } },
        /existingSecret is "a", and secrets\.inline has databaseUrl, masterKey, adminToken/,
      ],
      ['half of the secrets', { secrets: { inline: { ...inline, masterKey: '' } } }, /secrets\.inline lacks masterKey/],
      ['a queue on Redis without its address', { secrets: { inline }, queue: { backend: 'redis' } }, /secrets\.inline lacks redisUrl/],
      [
        'an autoscaler that ends before it begins',
        { ...LEAST, api: { autoscaling: { enabled: true, minReplicas: 5, maxReplicas: 2 } } },
        /api\.autoscaling: maxReplicas \(2\) is below minReplicas \(5\)/,
      ],
    ])('%s', async (_, values, reason) => {
      await expect(renderer().render(values)).rejects.toThrow(reason);
    });
  });

  test('says after an install where the administrator’s token is, and shows none', async () => {
    const [, values] = cases.find(([name]) => name === 'inline-secrets') ?? [];
    const notes = await renderer().notes(values ?? {});
    expect(notes).toMatch(/EXEUNT_ADMIN_TOKEN of the Secret exeunt\./);
    expect(notes).toMatch(/WARNING: the secrets came in as values/);
    const everything = await renderer().notes(cases.find(([name]) => name === 'everything')?.[1] ?? {});
    expect(everything).toContain('https://slo.example.com');
    expect(everything).not.toContain('WARNING');
  });
});
