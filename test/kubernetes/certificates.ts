import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** The cluster's CA and its certificates, as files of one folder. */
export class ClusterCertificates {
  constructor(private readonly folder: string) {
    const subject = [
      '-x509',
      '-days',
      '2',
      '-subj',
      '/CN=cluster',
      '-addext',
      'keyUsage=critical,keyCertSign',
    ];
    openssl('req', ...EC, ...subject, '-keyout', this.path('ca.key'), '-out', this.path('ca.crt'));
    openssl('genrsa', '-out', this.path('accounts.key'), '2048');
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Writes NAME.crt and NAME.key. For the API server, the subject is the user and the group. */
  issue(name: string, subject: string, altNames = ''): { cert: string; key: string } {
    const [cert, key, request] = ['crt', 'key', 'csr'].map((end) => this.path(`${name}.${end}`));
    openssl('req', ...EC, '-new', '-subj', subject, '-keyout', key!, '-out', request!);
    const extensions = this.path(`${name}.ext`);
    const names = altNames ? `subjectAltName=${altNames}\n` : '';
    writeFileSync(extensions, `extendedKeyUsage=serverAuth,clientAuth\n${names}`);
    openssl(
      ...['x509', '-req', '-days', '2', '-in', request!, '-out', cert!, '-extfile', extensions],
      ...['-CA', this.path('ca.crt'), '-CAkey', this.path('ca.key'), '-CAcreateserial'],
    );
    return { cert: cert!, key: key! };
  }

  /** Writes a kubeconfig for the user of a certificate. Returns its path. */
  kubeconfig(name: string, subject: string, server: string): string {
    const { cert, key } = this.issue(name, subject);
    const file = this.path(`${name}.kubeconfig`);
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster: { server, 'certificate-authority': this.path('ca.crt') } }],
      users: [{ name: 'u', user: { 'client-certificate': cert, 'client-key': key } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    };
    writeFileSync(file, JSON.stringify(config));
    return file;
  }
}
