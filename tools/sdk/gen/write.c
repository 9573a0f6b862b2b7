// SPDX-License-Identifier: GPL-2.0-only
/* Writes the stubs: C that is meant to be read. */
#include <string.h>
#include "mongen.h"

static const char *const kinds[] = { "", "in", "out", "inout", "string" };

static FILE *out;

static bool is_void(const char *type)
{
	return !strcmp(type, "void");
}

/* In bytes; a void has one. */
static void write_size(const struct parameter *p)
{
	if (!strcmp(p->type, "void") || !strcmp(p->type, "const void"))
		fputs("1", out);
	else
		fprintf(out, "sizeof(*%s)", p->name);
}

static void write_parameters(const struct call *c)
{
	unsigned int i;

	for (i = 0; i < c->nr; i++)
		fprintf(out, "%s%s %s%s", i ? ", " : "", c->parameter[i].type,
			c->parameter[i].kind == NUMBER ? "" : "*", c->parameter[i].name);
}

static void write_wire(const struct call *c)
{
	unsigned int i;

	if (!is_void(c->type))
		fprintf(out, "MON_NUMBER(%s);\n", c->type);
	for (i = 0; i < c->nr; i++)
		if (c->parameter[i].kind == NUMBER)
			fprintf(out, "MON_NUMBER(%s);\n", c->parameter[i].type);
	fprintf(out, "struct mon_wire_%s {\n", c->name);
	if (!is_void(c->type))
		fprintf(out, "\t%s mon_result;\n", c->type);
	for (i = 0; i < c->nr; i++) {
		const struct parameter *p = &c->parameter[i];

		if (p->kind == NUMBER)
			fprintf(out, "\t%s %s;\n", p->type, p->name);
		else if (p->kind == STRING)
			fprintf(out, "\tsize_t mon_length_%s;\n", p->name);
	}
	fputs("};\n\n", out);
}

static void write_put(const struct parameter *p)
{
	if (p->kind == STRING) {
		fprintf(out, "\tmon_w.mon_length_%s = mon_put_string(&mon_m, %s, %s);\n", p->name,
			p->name, p->count);
	} else if (p->kind != NUMBER) {
		fprintf(out, "\tmon_put_%s(&mon_m, %s, %s, ", kinds[p->kind], p->name, p->count);
		write_size(p);
		fputs(");\n", out);
	}
}

/* Who calls. */
static void write_caller(const struct call *c, unsigned int number)
{
	const char *way = c->ecall ? "ecall" : "ocall";
	unsigned int i;

	fprintf(out, "int %s(%s%s *mon_result%s", c->name,
		c->ecall ? "struct mon_enclave *mon, " : "", c->type, c->nr ? ", " : "");
	write_parameters(c);
	fprintf(out, ")\n{\n\tstruct mon_wire_%s mon_w;\n\tstruct mon_message mon_m;\n\n", c->name);
	fputs("\tmemset(&mon_w, 0, sizeof(mon_w));\n", out);
	fprintf(out, "\tmon_%s_begin(&mon_m, %ssizeof(mon_w));\n", way, c->ecall ? "mon, " : "");
	for (i = 0; i < c->nr; i++) {
		const struct parameter *p = &c->parameter[i];

		if (p->kind == NUMBER)
			fprintf(out, "\tmon_w.%s = %s;\n", p->name, p->name);
		write_put(p);
	}
	fprintf(out,
		"\tMON_CLEAR_PADDING(&mon_w, 1);\n"
		"\tmon_%s_send(&mon_m, &mon_interface, %u, &mon_w, sizeof(mon_w));\n",
		way, number);
	if (*c->length)
		fprintf(out,
			"\tif (mon_w.mon_result > 0 && (unsigned long long)mon_w.mon_result > "
			"(unsigned long long)%s) {\n"
			"\t\tmon_w.mon_result = 0;\n\t\tmon_lied(&mon_m);\n\t}\n",
			c->length);
	if (is_void(c->type))
		fputs("\t(void)mon_result;\n", out);
	else
		fputs("\tif (mon_result)\n\t\t*mon_result = mon_w.mon_result;\n", out);
	fprintf(out, "\treturn mon_%s_end(&mon_m, \"%s\");\n}\n\n", way, c->name);
}

static void write_take_string(const struct parameter *p)
{
	fprintf(out, "\t%s = mon_take_string(mon_m, mon_w.mon_length_%s, %s);\n", p->name, p->name,
		p->count);
}

static bool counts_by(const struct call *c, const struct parameter *p)
{
	unsigned int i;

	for (i = 0; i < c->nr; i++)
		if (c->parameter[i].kind == NUMBER && !strcmp(c->parameter[i].name, p->count))
			return true;
	return false;
}

static void write_takes(const struct call *c)
{
	unsigned int i;

	for (i = 0; i < c->nr; i++) {
		const struct parameter *p = &c->parameter[i];

		if (p->kind == STRING) {
			write_take_string(p);
		} else if (p->kind != NUMBER) {
			fprintf(out, "\t%s = mon_take_%s(mon_m, %s%s, ", p->name, kinds[p->kind],
				counts_by(c, p) ? "mon_w." : "", p->count);
			write_size(p);
			fputs(");\n", out);
		}
	}
}

static void write_called(const struct call *c)
{
	unsigned int i;

	fprintf(out, "\t\t%s%s(", is_void(c->type) ? "" : "mon_result = ", c->name);
	for (i = 0; i < c->nr; i++)
		fprintf(out, "%s%s%s", i ? ", " : "",
			c->parameter[i].kind == NUMBER ? "mon_w." : "", c->parameter[i].name);
	fputs(");\n", out);
	for (i = 0; i < c->nr; i++) {
		const struct parameter *p = &c->parameter[i];

		if ((p->kind == OUT || p->kind == INOUT) && !is_void(p->type))
			fprintf(out, "\t\tMON_CLEAR_PADDING(%s, (size_t)%s%s);\n", p->name,
				counts_by(c, p) ? "mon_w." : "", p->count);
	}
}

/* Who is called. */
static void write_server(const struct call *c)
{
	unsigned int i;

	fprintf(out,
		"static int mon_serve_%s(struct mon_message *mon_m)\n{\n"
		"\tstruct mon_wire_%s mon_w;\n",
		c->name, c->name);
	if (!is_void(c->type))
		fprintf(out, "\t%s mon_result = 0;\n", c->type);
	for (i = 0; i < c->nr; i++)
		if (c->parameter[i].kind != NUMBER)
			fprintf(out, "\t%s *%s;\n", c->parameter[i].type, c->parameter[i].name);
	fputs("\n\tmon_take(mon_m, &mon_w, sizeof(mon_w));\n", out);
	write_takes(c);
	fputs("\tif (!mon_m->error) {\n", out);
	write_called(c);
	fputs("\t}\n\tmemset(&mon_w, 0, sizeof(mon_w));\n", out);
	if (!is_void(c->type))
		fputs("\tmon_w.mon_result = mon_result;\n\tMON_CLEAR_PADDING(&mon_w, 1);\n", out);
	fputs("\treturn mon_give(mon_m, &mon_w, sizeof(mon_w));\n}\n\n", out);
}

static void write_table(const struct interface *interface, const char *name, bool ecalls)
{
	unsigned int i, nr = 0;

	fputs("static int (*const mon_serve[])(struct mon_message *mon_m) = {\n", out);
	for (i = 0; i < interface->nr; i++)
		if (interface->call[i].ecall == ecalls && ++nr)
			fprintf(out, "\tmon_serve_%s,\n", interface->call[i].name);
	if (!nr)
		fputs("\t0\n", out);
	fprintf(out,
		"};\n\n%sconst struct mon_interface mon_interface = {\n"
		"\t.name = \"%s\",\n\t.hash = 0x%08x,\n\t.nr = %u,\n\t.serve = mon_serve,\n};\n",
		ecalls ? "" : "static ", name, interface->hash, nr);
}

void write_stubs(FILE *to, const struct interface *interface, bool enclave)
{
	const char *slash = strrchr(interface->path, '/');
	const char *name = slash ? slash + 1 : interface->path;
	unsigned int i, numbers[2] = { 0, 0 };

	out = to;
	fprintf(out,
		"/* Made by mongen from %s, for %s: do not change it. */\n"
		"#include <string.h>\n#include \"mon_message.h\"\n#include \"%s\"\n\n"
		"%sconst struct mon_interface mon_interface;\n\n",
		name, enclave ? "the enclave" : "the process", name,
		enclave ? "extern " : "static ");
	for (i = 0; i < interface->nr; i++) {
		const struct call *c = &interface->call[i];

		fprintf(out, "/* %s, line %u */\n", name, c->line);
		write_wire(c);
		if (c->ecall == enclave)
			write_server(c);
		else
			write_caller(c, numbers[c->ecall]);
		numbers[c->ecall]++;
	}
	write_table(interface, name, enclave);
}
