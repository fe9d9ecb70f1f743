/** A first-in first-out queue that allocates only when it grows. */
export class PacketRing<Packet> {
  #items: (Packet | undefined)[] = emptySlots(16);
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(packet: Packet): void {
    if (this.#length === this.#items.length) this.#grow();
    this.#items[(this.#head + this.#length) & (this.#items.length - 1)] = packet;
    this.#length++;
  }

  shift(): Packet | undefined {
    if (this.#length === 0) return undefined;
    const packet = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#items.length - 1);
    this.#length--;
    return packet;
  }

  #grow(): void {
    const size = this.#items.length;
    const grown = emptySlots<Packet>(size * 2);
    for (let i = 0; i < size; i++) grown[i] = this.#items[(this.#head + i) & (size - 1)];
    this.#items = grown;
    this.#head = 0;
  }
}

function emptySlots<Packet>(length: number): (Packet | undefined)[] {
  return Array.from<Packet | undefined>({ length }).fill(undefined);
}
