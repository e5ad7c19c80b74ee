/* What a list of IOS cannot say, told at the policy's line: once for each place and code, however
 * many lists are made of it. */
#ifndef FWC_TARGET_CISCO_TERMS_REFUSE_H
#define FWC_TARGET_CISCO_TERMS_REFUSE_H

#include "target/cisco/terms/inbound.h"
#include "target/cisco/terms/section.h"

/* "list 'FWC'", "list 'FWC-Serial0-0-IN' of device 'SITE1'": other devices have lists of that name. */
const char *list_words(void *pool, const struct device *device, const struct ios_list *list);
/* Whether this was told before. */
bool refuse_is_told(const struct diags *diags, enum code code, struct span span);
/* Limits, helpers, translations without a device. False: reported as an error. */
bool refuse_rule(struct diags *diags, const struct ios_vantage *vantage, const struct rule *rule);
/* Without a device. */
void refuse_self(struct diags *diags, const struct rule *rule);
void refuse_difference(struct diags *diags, const struct rule *rule);
void refuse_defaults(struct diags *diags, const struct policy *policy);
/* Ports of a protocol that IOS matches without ports alone. */
void refuse_ports(struct diags *diags, struct span origin, const struct service_tuple *tuple);
/* A list that no router takes and that memory does not hold. False: reported as an error. */
bool refuse_length(struct diags *diags, const struct device *device, const struct ios_list *list,
		   const struct plan_size *size);
/* What denied packets get for an answer is the interface's matter: said once. */
void note_answers(struct diags *diags, const struct ios_vantage *vantage);

#endif
