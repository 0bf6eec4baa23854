// Pod Security Standards, level "restricted", for the fields that a pod of this chart can have.
// https://kubernetes.io/docs/concepts/security/pod-security-standards/

// biome-ignore lint/suspicious/noExplicitAny: a pod as YAML has it.
type Yaml = any;

const VOLUMES = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
];

/** What a pod's spec has that the level "restricted" refuses. */
export function violations(spec: Yaml): string[] {
  const found: string[] = [];
  const refuse = (isWrong: boolean, what: string) => {
    if (isWrong) found.push(what);
  };
  for (const field of ['hostNetwork', 'hostPID', 'hostIPC']) refuse(Boolean(spec[field]), field);
  for (const volume of spec.volumes ?? [])
    refuse(!VOLUMES.some((kind) => kind in volume), `volume ${volume.name}`);
  for (const container of [...(spec.initContainers ?? []), ...spec.containers]) {
    const { name, securityContext = {}, ports = [] } = container;
    const pod = spec.securityContext ?? {};
    const either = (field: string) => securityContext[field] ?? pod[field];
    refuse(securityContext.privileged === true, `${name}: privileged`);
    refuse(securityContext.allowPrivilegeEscalation !== false, `${name}: allowPrivilegeEscalation`);
    refuse(either('runAsNonRoot') !== true, `${name}: runAsNonRoot`);
    refuse(either('runAsUser') === 0, `${name}: runAsUser`);
    refuse(
      !['RuntimeDefault', 'Localhost'].includes(either('seccompProfile')?.type),
      `${name}: seccompProfile`,
    );
    const { drop = [], add = [] } = securityContext.capabilities ?? {};
    refuse(!drop.includes('ALL'), `${name}: capabilities.drop`);
    refuse(
      add.some((capability: string) => capability !== 'NET_BIND_SERVICE'),
      `${name}: capabilities.add`,
    );
    refuse(
      ports.some((port: Yaml) => port.hostPort),
      `${name}: hostPort`,
    );
  }
  return found;
}
