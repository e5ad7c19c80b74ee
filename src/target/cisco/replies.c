/* Answers to what others may start. */
#include "target/cisco/inbound.h"

bool inbound_replies(void *pool, struct diags *diags, const struct ios_vantage *vantage,
		     struct ios_config *config, struct ios_list *list, struct ios_list **outbound)
{
	(void)pool;
	(void)config;
	(void)list;
	(void)outbound;
	if (vantage->replies == REPLIES_NONE)
		return true;
	diag_add(diags, CODE_TARGET_CANNOT, vantage->device->span,
		 "the lists of device '%s' cannot let answers in: say 'replies none'",
		 vantage->device->name);
	return false;
}
