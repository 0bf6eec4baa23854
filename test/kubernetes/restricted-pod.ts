import { SIDECAR_IMAGE } from './images.js';

/** The value of `kubectl run --overrides`: an application that Pod Security "restricted" allows. */
export function restrictedPod({ user, ...fields }: { user?: number; hostNetwork?: true } = {}): string {
  return JSON.stringify({
    spec: {
      ...fields,
      automountServiceAccountToken: false,
      // As the first process of a container, sleep ignores SIGTERM.
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: 'app',
          image: SIDECAR_IMAGE,
          command: ['sleep', '3600'],
          securityContext: {
            runAsNonRoot: true,
            ...(user === undefined ? {} : { runAsUser: user }),
            allowPrivilegeEscalation: false,
            capabilities: { drop: ['ALL'] },
            seccompProfile: { type: 'RuntimeDefault' },
          },
        },
      ],
    },
  });
}
