// SPDX-License-Identifier: GPL-2.0-only
/* Reads MON_ECALL() and MON_OCALL() of a header; what else is in it is for the compiler. */
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "mongen.h"

static const char *file;
static const char *at;
static unsigned int line;
static char token[TEXT_MAX]; /* the next one; "" at the end */
static uint32_t *hash;	     /* NULL: outside of a call */

static void __attribute__((__noreturn__, __format__(__printf__, 2, 3)))
die(unsigned int where, const char *format, ...)
{
	va_list ap;

	fprintf(stderr, "%s:%u: ", file, where);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

/* To the end of a line, which a backslash continues. */
static void skip_line(void)
{
	for (; *at && *at != '\n'; at++)
		if (*at == '\\' && at[1] == '\n') {
			at++;
			line++;
		}
}

static void skip_comment(void)
{
	unsigned int begin = line;

	for (at += 2; *at && strncmp(at, "*/", 2); at++)
		line += *at == '\n';
	if (!*at)
		die(begin, "this comment has no end");
	at += 2;
}

static void skip_space(void)
{
	static const char *begin;
	bool first = !begin || at[-1] == '\n';

	begin = at;
	for (;;) {
		if (*at == '\n') {
			line++;
			at++;
			first = true;
		} else if (isspace((unsigned char)*at)) {
			at++;
		} else if (!strncmp(at, "//", 2) || (*at == '#' && first)) {
			skip_line();
		} else if (!strncmp(at, "/*", 2)) {
			skip_comment();
		} else {
			return;
		}
	}
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static size_t quoted(void)
{
	size_t n = 1;

	while (at[n] && at[n] != '\n' && at[n] != *at)
		n += at[n] == '\\' && at[n + 1] ? 2 : 1;
	if (at[n] != *at)
		die(line, "this text has no end");
	return n + 1;
}

/* FNV-1a of what the two sides have to agree on. */
static void add_to_hash(void)
{
	const char *c = token;

	do {
		*hash = (*hash ^ (unsigned char)*c) * 16777619u;
	} while (*c++);
}

static void next(void)
{
	size_t n = 0;

	if (hash)
		add_to_hash();
	skip_space();
	if (*at == '"' || *at == '\'')
		n = quoted();
	else if (is_word(*at))
		while (is_word(at[n]))
			n++;
	else
		n = *at != 0;
	if (n >= sizeof(token)) {
		if (hash || is_word(*at))
			die(line, "this is longer than %zu characters", sizeof(token) - 1);
		at += n - 1; /* a text outside of calls */
		n = 1;
	}
	memcpy(token, at, n);
	token[n] = 0;
	at += n;
}

static bool is(const char *text)
{
	return !strcmp(token, text);
}

static void expect(const char *text, const char *where)
{
	if (!is(text))
		die(line, "'%s' where '%s' has to be, %s", *token ? token : "the end of the file",
		    text, where);
	next();
}

static bool is_name(const char *text)
{
	return isalpha((unsigned char)*text) || *text == '_';
}

static void take_name(char *to, const char *what)
{
	if (!is_name(token))
		die(line, "'%s' is no name for %s", token, what);
	if (!strncmp(token, "mon", 3))
		die(line, "'%s': names that begin with 'mon' are the stubs' own", token);
	strcpy(to, token);
	next();
}

static void add(char *to, const char *word)
{
	if (strlen(to) + strlen(word) + 2 > TEXT_MAX)
		die(line, "this type is longer than %d characters", TEXT_MAX - 1);
	if (*to)
		strcat(to, " ");
	strcat(to, word);
}

/* Words up to what is none. */
static void take_words(char *to, const char *what)
{
	while (is_name(token)) {
		if (is("bool") || is("_Bool"))
			die(line, "a bool of the other side may be neither true nor false: use "
				  "int");
		add(to, token);
		next();
	}
	if (!*to)
		die(line, "'%s' where the type of %s has to be", token, what);
}

/* The last word of a type was a name. */
static void split_name(struct parameter *p)
{
	char *space = strrchr(p->type, ' ');

	if (!strcmp(p->type, "void"))
		die(p->line, "no parameters: write nothing, not void");
	if (!space)
		die(p->line, "'%s' is a type or a name, but both have to be there", p->type);
	strcpy(p->name, space + 1);
	*space = 0;
	if (!strncmp(p->name, "mon", 3))
		die(p->line, "'%s': names that begin with 'mon' are the stubs' own", p->name);
}

/* A number, a parameter, or a constant; which, is seen when all are known. */
static void take_count(char *to)
{
	if (!is_word(*token))
		die(line, "'%s' is no count: write a number, a parameter or a constant", token);
	strcpy(to, token);
	next();
}

static void take_pointer(struct parameter *p, const char *macro)
{
	bool in = p->kind == IN, is_const;

	take_words(p->type, "a buffer");
	expect("*", "for it is of a buffer");
	if (is("*"))
		die(line, "a pointer to pointers means nothing on the other side");
	is_const = !strncmp(p->type, "const ", 6) || strstr(p->type, " const");
	if (is_const != in)
		die(p->line, "the type of %s() %s const", macro,
		    is_const ? "cannot be" : "has to be");
	expect(",", "behind the type");
	take_name(p->name, "a parameter");
	expect(",", "behind the name: then the number of elements");
	take_count(p->count);
}

static void take_string(struct parameter *p)
{
	strcpy(p->type, "const char");
	take_name(p->name, "a parameter");
	expect(",", "behind the name: then the most characters it may have");
	take_count(p->count);
}

static void take_parameter(struct parameter *p)
{
	static const char *const macros[] = { "MON_IN", "MON_OUT", "MON_INOUT", "MON_STRING" };
	unsigned int i;

	p->line = line;
	for (i = 0; i < 4; i++)
		if (is(macros[i]))
			break;
	if (i == 4) {
		take_words(p->type, "a parameter");
		if (!is(",") && !is(")"))
			die(line,
			    "'%s' in a parameter: a pointer or an array has to be MON_IN(), "
			    "MON_OUT(), MON_INOUT() or MON_STRING()",
			    token);
		split_name(p);
		return;
	}
	p->kind = IN + i;
	next();
	expect("(", "behind the macro");
	if (p->kind == STRING)
		take_string(p);
	else
		take_pointer(p, macros[i]);
	expect(")", "at the end of the macro");
}

static const struct parameter *find(const struct call *c, const char *name)
{
	unsigned int i;

	for (i = 0; i < c->nr; i++)
		if (!strcmp(c->parameter[i].name, name))
			return &c->parameter[i];
	return NULL;
}

static void check_count(const struct call *c, const struct parameter *p)
{
	const struct parameter *of = find(c, p->count);
	const char *s = p->count;

	if (of && (of->kind != NUMBER || p->kind == STRING))
		die(p->line, "the count of '%s' is '%s': %s", p->name, of->name,
		    of->kind != NUMBER ? "that is a buffer" : "a string has a constant bound");
	if (isdigit((unsigned char)*s)) {
		while (isalnum((unsigned char)*s))
			s++;
	} else if (!of) {
		while (isupper((unsigned char)*s) || isdigit((unsigned char)*s) || *s == '_')
			s++;
	} else {
		return;
	}
	if (*s)
		die(p->line,
		    "the count of '%s' is '%s': no number, no parameter, and no constant (in "
		    "capitals)",
		    p->name, p->count);
}

static void check(const struct interface *all, const struct call *c)
{
	unsigned int i, buffers = 0;

	for (i = 0; i < all->nr; i++)
		if (!strcmp(all->call[i].name, c->name))
			die(c->line, "'%s' is there already, in line %u", c->name,
			    all->call[i].line);
	for (i = 0; i < c->nr; i++) {
		const struct parameter *p = &c->parameter[i];

		if (find(c, p->name) != p)
			die(p->line, "two parameters have the name '%s'", p->name);
		if (p->kind == NUMBER)
			continue;
		if (++buffers > 8)
			die(p->line, "there are more than 8 buffers");
		check_count(c, p);
	}
	if (*c->length && (!find(c, c->length) || find(c, c->length)->kind != NUMBER))
		die(c->line, "MON_LENGTH() names '%s', which is no number among the parameters",
		    c->length);
}

static void take_type(struct call *c)
{
	if (!is("MON_LENGTH")) {
		take_words(c->type, "the function");
		if (is("*"))
			die(line, "a function cannot return a pointer: its other side has no such "
				  "memory");
		return;
	}
	next();
	expect("(", "behind MON_LENGTH");
	take_words(c->type, "the function");
	expect(",", "behind the type");
	take_name(c->length, "a parameter");
	expect(")", "behind MON_LENGTH");
	if (!strcmp(c->type, "void"))
		die(c->line, "MON_LENGTH() of void");
}

static void take_call(struct call *c)
{
	c->line = line;
	next();
	expect("(", "behind the macro");
	take_type(c);
	expect(",", "behind the function's type");
	take_name(c->name, "a function");
	while (is(",")) {
		next();
		if (c->nr == PARAMETERS_MAX)
			die(line, "'%s' has more than %d parameters", c->name, PARAMETERS_MAX);
		take_parameter(&c->parameter[c->nr++]);
	}
	expect(")", "at the end of the function");
	hash = NULL;
	expect(";", "behind the function");
}

void parse(struct interface *interface, const char *path, const char *text)
{
	struct call call;

	file = path;
	at = text;
	line = 1;
	interface->path = path;
	interface->hash = 2166136261u;
	for (next(); *token;) {
		if (!is("MON_ECALL") && !is("MON_OCALL")) {
			next();
			continue;
		}
		if (interface->nr == CALLS_MAX)
			die(line, "there are more than %d functions", CALLS_MAX);
		memset(&call, 0, sizeof(call));
		call.ecall = is("MON_ECALL");
		hash = &interface->hash;
		take_call(&call);
		check(interface, &call);
		interface->call[interface->nr++] = call;
	}
	interface->hash &= 0x7fffffff; /* above are the runtime's own calls */
	if (!interface->nr)
		die(line, "there is no MON_ECALL() or MON_OCALL()");
}
