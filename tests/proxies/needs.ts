// Which of Debian's packages the proxies are, and the program of each.
import { existsSync } from 'node:fs'

export const NAMES = ['nginx', 'haproxy', 'caddy', 'squid', 'varnish', 'apache', 'trafficserver'] as const
export type ProxyName = (typeof NAMES)[number]

export const NEEDS: Readonly<Record<ProxyName, { program: string; package: string }>> = {
  nginx: { program: '/usr/sbin/nginx', package: 'nginx' },
  haproxy: { program: '/usr/sbin/haproxy', package: 'haproxy' },
  caddy: { program: '/usr/bin/caddy', package: 'caddy' },
  squid: { program: '/usr/sbin/squid', package: 'squid' },
  varnish: { program: '/usr/sbin/varnishd', package: 'varnish' },
  apache: { program: '/usr/sbin/apache2', package: 'apache2' },
  trafficserver: { program: '/usr/bin/traffic_server', package: 'trafficserver' },
}

export function missing(): ProxyName[] {
  return NAMES.filter((name) => !existsSync(NEEDS[name].program))
}
