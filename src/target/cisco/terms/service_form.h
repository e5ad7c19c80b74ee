/* Service tuples as IOS writes them: one form, one entry. */
#ifndef FWC_TARGET_CISCO_TERMS_SERVICE_FORM_H
#define FWC_TARGET_CISCO_TERMS_SERVICE_FORM_H

#include "target/cisco/model/model.h"

struct service_form {
	uint16_t protocol; /* or IOS_PROTOCOL_IP */
	uint16_t icmp_type, icmp_code;
	struct ios_ports source_ports, destination_ports;
};

struct service_forms {
	struct service_form *forms;
	size_t forms_count, forms_capacity;
	const struct service_tuple *refused; /* ports that IOS cannot match; or NULL */
	bool has_zero; /* protocol 0, which IOS reads as every protocol, is among them and has no form */
};

/* The tuples of the family. has_multi_eq: up to ten single ports in one form. */
struct service_forms service_forms_of(void *pool, const struct tuple_set *services, enum family family,
				      bool has_multi_eq);

#endif
