// Money is an integer of minor units (cents) beside an ISO 4217 currency; never a float.
import { z } from 'zod';

/** Active currencies of ISO 4217, without funds, metals and test codes. */
const currencies = new Set(
  (
    'AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK ' +
    'DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF ' +
    'KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK ' +
    'PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX ' +
    'USD UYU UZS VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG'
  ).split(' '),
);

/** An ISO 4217 code in capitals. */
export const Currency = z
  .string()
  .regex(/^[A-Z]{3}$/, 'three capital letters')
  .refine((code) => currencies.has(code), 'not a currency of ISO 4217')
  .meta({ description: 'ISO 4217 code', examples: ['USD'] });

/** An amount in minor units, zero or more, below 2^53. */
export const Amount = z.int().min(0).meta({ description: 'Minor units (cents), an integer' });

/** A count of goods, one or more. */
export const Quantity = z.int().min(1).max(1_000_000).meta({ description: 'Units, an integer' });

/**
 * The sum of factors' products, or undefined when it leaves the integers that a double holds exactly (2^53).
 * `total([[199, 2], [50, 1]])` is 448.
 */
export function total(terms: Iterable<readonly [amount: number, times: number]>): number | undefined {
  let sum = 0;
  for (const [amount, times] of terms) {
    const term = amount * times;
    sum += term;
    if (!Number.isSafeInteger(term) || !Number.isSafeInteger(sum)) return undefined;
  }
  return sum;
}
