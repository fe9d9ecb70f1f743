/** Options that several verbs take. */
import { InvalidArgumentError } from "commander";

export function collectSetting(setting: string, before: readonly string[]): string[] {
  return [...before, setting];
}

export function parseSeed(text: string): number {
  const seed = Number(text);
  if (!/^\d+$/.test(text) || seed > 0xffff_ffff)
    throw new InvalidArgumentError("A seed is a whole number from 0 to 4294967295.");
  return seed;
}

export function parseRepeat(text: string): number {
  const times = Number(text);
  if (!/^\d+$/.test(text) || times < 1 || times > 10_000)
    throw new InvalidArgumentError("A number of times is a whole number from 1 to 10000.");
  return times;
}

export function parseJobs(text: string): number {
  const jobs = Number(text);
  if (!/^\d+$/.test(text) || jobs < 1 || jobs > 1024)
    throw new InvalidArgumentError("A number of processes is a whole number from 1 to 1024.");
  return jobs;
}
