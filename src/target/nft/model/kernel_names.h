/* linux/netfilter/nf_tables.h beside the model, whose verdicts have the names of the kernel's:
 * those of the kernel become NFT_KERNEL_*. Include this, never nf_tables.h itself. */
#ifndef FWC_TARGET_NFT_MODEL_KERNEL_NAMES_H
#define FWC_TARGET_NFT_MODEL_KERNEL_NAMES_H

#include <linux/netfilter.h>

#define NFT_JUMP NFT_KERNEL_JUMP
#define NFT_GOTO NFT_KERNEL_GOTO
#define NFT_RETURN NFT_KERNEL_RETURN
#include <linux/netfilter/nf_tables.h>
#undef NFT_JUMP
#undef NFT_GOTO
#undef NFT_RETURN

#endif
