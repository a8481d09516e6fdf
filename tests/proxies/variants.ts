// What docs/proxies.md recommends, one entry per proxy: the same lines that stand there are tested here.
import type { Extra } from './configurations.ts'
import type { ProxyName } from './needs.ts'

/** For a stream that is prompt and is not held back. */
export const ADVISED: Readonly<Record<ProxyName, Extra>> = {
  nginx: { lines: ['proxy_buffering off;'] },
  haproxy: { lines: ['option http-no-delay'] },
  caddy: { lines: ['flush_interval -1'] },
  squid: { lines: ['read_timeout 15 minutes'] },
  varnish: { lines: ['sub vcl_recv { if (req.url ~ "/stream") { return (pipe); } }'] },
  apache: { peer: 'flushpackets=on' },
  trafficserver: { lines: ['CONFIG proxy.config.http.transaction_no_activity_timeout_out INT 60'] },
}

/** Seconds of silence, fewer than any default, after which the proxy ends a stream. Caddy has no such limit. */
export const IMPATIENT: Readonly<Partial<Record<ProxyName, Extra>>> = {
  nginx: { lines: ['proxy_read_timeout 2s;'] },
  haproxy: { lines: ['timeout server 2s'] },
  squid: { lines: ['read_timeout 2 seconds'] },
  varnish: { parameters: ['-p', 'between_bytes_timeout=2'] },
  apache: { lines: ['ProxyTimeout 2'] },
  trafficserver: { lines: ['CONFIG proxy.config.http.transaction_no_activity_timeout_out INT 2'] },
}

/** The kit asks nginx not to buffer; told not to hear that, nginx lets nothing pass, not even the head. */
export const HOLDING_NGINX: Extra = { lines: ['proxy_ignore_headers X-Accel-Buffering;'] }
