// SPDX-License-Identifier: GPL-2.0-only
/* monctl shares: who shares what with whom, as a table or as a graph. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "monctl.h"

static const char *state_name(unsigned int state)
{
	static const char *const names[] = {
		[MON_SHARE_OFFERED] = "offered",
		[MON_SHARE_LIVE] = "live",
		[MON_SHARE_REVOKING] = "ending",
	};

	return state < sizeof(names) / sizeof(names[0]) && names[state] ? names[state] : "?";
}

static const char *access_name(unsigned int perm)
{
	return perm & MON_SHARE_WRITE ? "rw" : "r";
}

static void show_table(const struct shares *shares)
{
	char owner[DOMAIN_TEXT], peer[DOMAIN_TEXT], size[SIZE_TEXT];
	const struct mon_share_info *s;
	unsigned int i;

	if (!shares->nr)
		puts("Nothing is shared.");
	else
		printf("%-12s %-12s %-12s %10s %12s  %-6s  %-8s %s\n", "SHARE", "OWNER", "PEER",
		       "PAGES", "SIZE", "ACCESS", "STATE", "TAG");
	for (i = 0; i < shares->nr; i++) {
		s = &shares->item[i];
		printf("%-#12llx %-12s %-12s %10llu %12s  %-6s  %-8s %#llx\n",
		       (unsigned long long)s->id, domain_name(s->owner, owner),
		       domain_name(s->peer, peer), (unsigned long long)s->pages,
		       human_size(s->pages, size), access_name(s->perm), state_name(s->state),
		       (unsigned long long)s->tag);
	}
}

/* ---- the graph ---- */

static void show_node(const struct domains *domains, unsigned int domain)
{
	unsigned int i;

	if (domain == MON_DOMAIN_HOST) {
		puts("\td0 [label=\"host\", shape=ellipse];");
		return;
	}
	for (i = 0; i < domains->nr; i++)
		if (domains->item[i].number == domain) {
			printf("\td%u [label=\"domain %u\\npid %d\"];\n", domain, domain,
			       domains->item[i].pid);
			return;
		}
	printf("\td%u [label=\"domain %u\"];\n", domain, domain);
}

static bool known(const unsigned int *nodes, unsigned int nr, unsigned int domain)
{
	while (nr--)
		if (nodes[nr] == domain)
			return true;
	return false;
}

/* Each domain once: those that live, and those that only a share names. */
static bool show_nodes(const struct domains *domains, const struct shares *shares)
{
	unsigned int nr = 0, i, *nodes = calloc(domains->nr + 2 * shares->nr + 1, sizeof(*nodes));

	if (!nodes)
		return false;
	nodes[nr++] = MON_DOMAIN_HOST;
	for (i = 0; i < domains->nr; i++)
		if (!known(nodes, nr, domains->item[i].number))
			nodes[nr++] = domains->item[i].number;
	for (i = 0; i < 2 * shares->nr; i++) {
		const struct mon_share_info *s = &shares->item[i / 2];
		unsigned int domain = i % 2 ? s->peer : s->owner;

		if (domain != MON_DOMAIN_NONE && !known(nodes, nr, domain))
			nodes[nr++] = domain;
	}
	for (i = 0; i < nr; i++)
		show_node(domains, nodes[i]);
	free(nodes);
	return true;
}

static void show_edge(const struct mon_share_info *s)
{
	char peer[40];

	if (s->peer == MON_DOMAIN_NONE) {
		snprintf(peer, sizeof(peer), "s%llx", (unsigned long long)s->id);
		printf("\t%s [label=\"nobody yet\", style=dashed];\n", peer);
	} else {
		snprintf(peer, sizeof(peer), "d%u", s->peer);
	}
	printf("\td%u -> %s [label=\"%llu page%s, %s, %s\"%s];\n", s->owner, peer,
	       (unsigned long long)s->pages, s->pages == 1 ? "" : "s", access_name(s->perm),
	       state_name(s->state), s->state == MON_SHARE_LIVE ? "" : ", style=dashed");
}

static int show_graph(const struct shares *shares)
{
	struct domains domains;
	unsigned int i;
	bool good;

	if (!read_domains(&domains))
		return EXIT_CANNOT;
	puts("digraph shares {\n\trankdir=LR;\n\tnode [shape=box];");
	good = show_nodes(&domains, shares);
	for (i = 0; good && i < shares->nr; i++)
		show_edge(&shares->item[i]);
	puts("}");
	free_domains(&domains);
	return good ? 0 : fail("out of memory");
}

int cmd_shares(int argc, char **argv)
{
	bool dot = argc > 1 && !strcmp(argv[1], "--dot");
	struct shares shares;
	int status = 0;

	if (argc > 1 + dot) {
		fail("shares takes --dot or nothing (got '%s')", argv[1 + dot]);
		return EXIT_USAGE;
	}
	if (!read_shares(&shares))
		status = EXIT_CANNOT;
	else if (dot)
		status = show_graph(&shares);
	else
		show_table(&shares);
	free(shares.item);
	return status;
}
