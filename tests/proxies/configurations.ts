// Debian's own configuration of each proxy, read from /etc, with the least changes that let it run on loopback beside the
// system's: ports, folders, an origin. Nothing below /etc, /run or /var is written.
import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ProxyName } from './needs.ts'
import { NEEDS } from './needs.ts'

export interface Place {
  /** An empty folder that every user may write into. */
  folder: string
  /** Where the proxy listens. */
  port: number
  /** Where the origin listens. */
  origin: number
}

/** What is said beyond the default. A proxy takes the fields that are its own. */
export interface Extra {
  /** nginx: in `location`. apache: in the host. haproxy: in `listen`. squid: at the end. trafficserver: records. caddy: in `reverse_proxy`. */
  lines?: readonly string[] | undefined
  /** apache: after the address in `ProxyPass`. squid: after `cache_peer`. haproxy: after `server`. */
  peer?: string | undefined
  /** varnish: parameters of the command. */
  parameters?: readonly string[] | undefined
}

interface Configured {
  command: readonly string[]
  env?: Record<string, string> | undefined
}

const isRoot = process.getuid?.() === 0
const etc = (path: string) => readFileSync(join('/etc', path), 'utf8')

export const CONFIGURE: Readonly<Record<ProxyName, (place: Place, extra: Extra) => Configured>> = {
  nginx({ folder, port, origin }, { lines = [] }) {
    const own = `server { listen 127.0.0.1:${port}; location / { proxy_pass http://127.0.0.1:${origin}; ${lines.join(' ')} } }`
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `${name}_temp_path ${folder}/${name};`,
    )
    const text = etc('nginx/nginx.conf')
      .replace(/^user .*$/m, isRoot ? '$&' : '')
      .replace(/^pid .*$/m, `pid ${folder}/pid; daemon off;`)
      .replace(/^(\s*error_log) .*$/gm, `$1 ${folder}/error.log;`)
      .replace(/^(\s*access_log) .*$/gm, `$1 ${folder}/access.log; ${temporary.join(' ')}`)
      .replace(/^\s*include \/etc\/nginx\/conf\.d.*$/m, '')
      .replace(/^\s*include \/etc\/nginx\/sites-enabled.*$/m, own)
    return { command: [NEEDS.nginx.program, '-e', `${folder}/error.log`, '-c', save(folder, 'nginx.conf', text)] }
  },
  haproxy({ folder, port, origin }, { lines = [], peer = '' }) {
    const text = etc('haproxy/haproxy.cfg').replace(/^\s*(chroot|stats|daemon|user|group)\b.*$/gm, '')
    const own = `\nlisten tested\n\tbind 127.0.0.1:${port}\n\tserver origin 127.0.0.1:${origin} ${peer}\n${lines.map((line) => `\t${line}\n`).join('')}`
    return { command: [NEEDS.haproxy.program, '-db', '-f', save(folder, 'haproxy.cfg', text + own)] }
  },
  caddy({ folder, port, origin }, { lines = [] }) {
    const body = lines.map((line) => `\t\t${line}\n`).join('')
    const text = `{\n\tadmin off\n}\nhttp://:${port} {\n\tbind 127.0.0.1\n\treverse_proxy 127.0.0.1:${origin} {\n${body}\t}\n}\n`
    const config = save(folder, 'Caddyfile', text)
    const env = { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }
    return { command: [NEEDS.caddy.program, 'run', '--adapter', 'caddyfile', '--config', config], env }
  },
  squid({ folder, port, origin }, { lines = [], peer = '' }) {
    const text = etc('squid/squid.conf')
      .replace(/^http_port .*$/m, `http_port 127.0.0.1:${port} accel defaultsite=127.0.0.1`)
      .replace(/^coredump_dir .*$/m, `coredump_dir ${folder}`)
    const own = [
      `cache_peer 127.0.0.1 parent ${origin} 0 no-query originserver name=origin ${peer}`,
      `pid_filename ${folder}/pid`,
      `cache_log ${folder}/cache.log`,
      `access_log ${folder}/access.log`,
      'visible_hostname localhost',
      'shutdown_lifetime 0 seconds',
      ...lines,
    ]
    return { command: [NEEDS.squid.program, '-N', '-f', save(folder, 'squid.conf', `${text}\n${own.join('\n')}\n`)] }
  },
  varnish({ folder, port, origin }, { parameters = [], lines = [] }) {
    const text = etc('varnish/default.vcl').replace('"8080"', `"${origin}"`).concat('\n', lines.join('\n'), '\n')
    const vcl = save(folder, 'own.vcl', text)
    const work = join(folder, 'work')
    return {
      command: [
        ...[NEEDS.varnish.program, '-F', '-a', `127.0.0.1:${port}`, '-f', vcl, '-n', work],
        ...['-s', 'malloc,256m', '-T', 'none', ...parameters],
      ],
    }
  },
  apache({ folder, port, origin }, { lines = [], peer = '' }) {
    const modules = ['proxy.load', 'proxy.conf', 'proxy_http.load'].map((file) => `Include mods-available/${file}`)
    const host = [
      'ServerName localhost',
      `<VirtualHost 127.0.0.1:${port}>`,
      `ProxyPass / http://127.0.0.1:${origin}/ ${peer}`,
      ...lines,
      '</VirtualHost>',
    ]
    const text = etc('apache2/apache2.conf')
      .replace(/^Include ports\.conf$/m, `Listen 127.0.0.1:${port}`)
      .replace(/^IncludeOptional sites-enabled.*$/m, [...modules, ...host].join('\n'))
      .replace(/^(User|Group) .*$/gm, isRoot ? '$&' : '')
    const env = {
      APACHE_RUN_USER: 'www-data',
      APACHE_RUN_GROUP: 'www-data',
      APACHE_PID_FILE: `${folder}/pid`,
      APACHE_RUN_DIR: folder,
      APACHE_LOCK_DIR: folder,
      APACHE_LOG_DIR: folder,
    }
    const config = save(folder, 'apache2.conf', text)
    return { command: [NEEDS.apache.program, '-d', '/etc/apache2', '-f', config, '-D', 'FOREGROUND'], env }
  },
  trafficserver({ folder, port, origin }, { lines = [] }) {
    for (const name of ['etc', 'cache', 'run', 'log']) {
      mkdirSync(join(folder, name))
      chmodSync(join(folder, name), 0o777)
    }
    cpSync('/etc/trafficserver', join(folder, 'etc'), { recursive: true, dereference: true })
    const records = etc('trafficserver/records.config')
      .replace(
        /^CONFIG proxy\.config\.http\.server_ports .*$/m,
        `CONFIG proxy.config.http.server_ports STRING ${port}:ip-in=127.0.0.1`,
      )
      .replace(/^CONFIG proxy\.config\.admin\.user_id .*$/m, isRoot ? '$&' : '')
    save(join(folder, 'etc'), 'records.config', `${records}\n${lines.join('\n')}\n`)
    save(join(folder, 'etc'), 'remap.config', `map / http://127.0.0.1:${origin}/\n`)
    save(join(folder, 'etc'), 'storage.config', `${folder}/cache 256M\n`)
    const roots = {
      ...{
        prefix: '/usr',
        exec_prefix: '/usr',
        bindir: '/usr/bin',
        sbindir: '/usr/sbin',
        datadir: '/usr/share/trafficserver',
      },
      ...{ libexecdir: '/usr/lib/trafficserver/modules', libdir: '/usr/lib/trafficserver', includedir: '/usr/include' },
      ...{
        sysconfdir: `${folder}/etc`,
        localstatedir: folder,
        runtimedir: `${folder}/run`,
        logdir: `${folder}/log`,
        cachedir: `${folder}/cache`,
      },
    }
    const root = save(
      folder,
      'runroot.yaml',
      Object.entries(roots)
        .map(([name, path]) => `${name}: ${path}\n`)
        .join(''),
    )
    return { command: [NEEDS.trafficserver.program, `--run-root=${root}`] }
  },
}

function save(folder: string, name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}
