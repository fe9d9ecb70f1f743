/** Each host sends to each other. */
export function allToAll(hosts: readonly string[]): { from: string; to: string }[] {
  return hosts.flatMap((from) => hosts.filter((to) => to !== from).map((to) => ({ from, to })));
}
