/** How the node's interfaces and routes say that they are sluice's. */

/**
 * The route protocol of sluice's local routes: 115, ASCII "s". Neither include/uapi/linux/rtnetlink.h nor iproute2's
 * rt_protos has it, nor do Calico (80), kube-vip (248) or FRR (186 to 198) use it.
 */
export const routeProtocol = 115;

/**
 * The metric of sluice's local routes, like no other's in table `local`: NLM_F_REPLACE replaces the route with the same
 * metric, whoever made it. The kernel's own have 0 and would be replaced in IPv4 (fib_table_insert); in IPv6 a metric
 * of 0 cannot even be asked for (ip6_route_info_create makes it 1024).
 */
export const routeMetric = 115;

/**
 * Where packets to steered VIPs are looked up: kube-router's table and priority for direct return, by number alone, so that
 * nothing is written to rt_tables.
 */
export const steeringTable = 78;
export const steeringPriority = 32_764;

/** The alias (`ip link show`) of an interface that sluice made. One without it is used and never removed. */
export const interfaceAlias = 'sluice: addresses of Services';

/**
 * The interfaces on which service proxies keep VIPs: kube-proxy's and kube-router's. What is on one of them, also when
 * its proxy is long gone, is no address of the node.
 */
export const proxyInterfaces: readonly string[] = ['kube-ipvs0', 'kube-dummy-if'];
