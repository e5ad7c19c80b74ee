/* What the lists cost: `--report`. */
#ifndef FWC_TARGET_CISCO_LOWER_REPORT_H
#define FWC_TARGET_CISCO_LOWER_REPORT_H

#include "target/cisco/model/model.h"

/* A line a list, behind its device's name if it has one: rules in, entries out, entries of the TCAM once port
 * ranges are prefixes and groups their members there, and range registers: one for each different range of
 * entries and service groups, half of one for gt, lt and neq (Cisco, "Understanding ACL Merge Algorithms and
 * ACL Hardware Resources", layer 4 operations; `eq` needs none). */
void cisco_report(struct text *out, const struct ios_config *config);

#endif
