--
-- PostgreSQL database dump
--

\restrict Zr2OowX3lyfcCNYpZfLON6zO9g0ggQacGMq9f53CcLeTjXVdztJ1he8KV5WwtFY

-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: convoy_about; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.convoy_about (
    version integer NOT NULL
);


--
-- Name: convoy_about_version_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.convoy_about_version_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: convoy_about_version_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.convoy_about_version_seq OWNED BY public.convoy_about.version;


--
-- Name: convoy_absences; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.convoy_absences (
    app character varying(255) NOT NULL,
    host character varying(255) NOT NULL,
    rollout integer NOT NULL,
    since double precision NOT NULL,
    original text NOT NULL
);


--
-- Name: convoy_events; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.convoy_events (
    number integer NOT NULL,
    rollout integer NOT NULL,
    at double precision NOT NULL,
    host character varying(255),
    kind character varying(32) NOT NULL,
    detail text NOT NULL
);


--
-- Name: convoy_events_number_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.convoy_events_number_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: convoy_events_number_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.convoy_events_number_seq OWNED BY public.convoy_events.number;


--
-- Name: convoy_hosts; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.convoy_hosts (
    rollout integer NOT NULL,
    host character varying(255) NOT NULL,
    place integer NOT NULL,
    step character varying(32) NOT NULL,
    verdict character varying(32),
    why text NOT NULL,
    asked integer NOT NULL,
    changed double precision NOT NULL
);


--
-- Name: convoy_leases; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.convoy_leases (
    app character varying(255) NOT NULL,
    fence integer NOT NULL,
    rollout integer,
    holder text NOT NULL,
    expires double precision NOT NULL
);


--
-- Name: convoy_rollouts; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.convoy_rollouts (
    number integer NOT NULL,
    app character varying(255) NOT NULL,
    version character varying(255) NOT NULL,
    digest character varying(255),
    cause text NOT NULL,
    by character varying(255) NOT NULL,
    plan text NOT NULL,
    started double precision NOT NULL,
    progressed double precision NOT NULL,
    halted text NOT NULL,
    ended double precision,
    verdict character varying(32),
    reason text NOT NULL
);


--
-- Name: convoy_rollouts_number_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.convoy_rollouts_number_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: convoy_rollouts_number_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.convoy_rollouts_number_seq OWNED BY public.convoy_rollouts.number;


--
-- Name: convoy_views; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.convoy_views (
    rollout integer NOT NULL,
    place character varying(255) NOT NULL,
    seen double precision NOT NULL,
    members text NOT NULL
);


--
-- Name: convoy_about version; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.convoy_about ALTER COLUMN version SET DEFAULT nextval('public.convoy_about_version_seq'::regclass);


--
-- Name: convoy_events number; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.convoy_events ALTER COLUMN number SET DEFAULT nextval('public.convoy_events_number_seq'::regclass);


--
-- Name: convoy_rollouts number; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.convoy_rollouts ALTER COLUMN number SET DEFAULT nextval('public.convoy_rollouts_number_seq'::regclass);


--
-- Data for Name: convoy_about; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.convoy_about VALUES (1);


--
-- Data for Name: convoy_absences; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.convoy_absences VALUES ('web', 'web1', 2, 2002, '{"lb1/web": {"admin": "drain", "weight": 10, "initial_weight": 10, "agent": false, "follows": null}}');


--
-- Data for Name: convoy_events; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.convoy_events VALUES (1, 1, 1000, NULL, 'opened', '{"version": "1.9", "cause": "the first one"}');
INSERT INTO public.convoy_events VALUES (2, 1, 1002, 'web1', 'leaving', '{"verdict": null, "why": ""}');
INSERT INTO public.convoy_events VALUES (3, 1, 1003, 'web1', 'drained', '{"verdict": null, "why": ""}');
INSERT INTO public.convoy_events VALUES (4, 1, 1005, 'web1', 'back', '{"verdict": "converged", "why": ""}');
INSERT INTO public.convoy_events VALUES (5, 1, 1012, 'web2', 'leaving', '{"verdict": null, "why": ""}');
INSERT INTO public.convoy_events VALUES (6, 1, 1013, 'web2', 'drained', '{"verdict": null, "why": ""}');
INSERT INTO public.convoy_events VALUES (7, 1, 1015, 'web2', 'back', '{"verdict": "converged", "why": ""}');
INSERT INTO public.convoy_events VALUES (8, 1, 1022, 'web3', 'leaving', '{"verdict": null, "why": ""}');
INSERT INTO public.convoy_events VALUES (9, 1, 1023, 'web3', 'drained', '{"verdict": null, "why": ""}');
INSERT INTO public.convoy_events VALUES (10, 1, 1025, 'web3', 'back', '{"verdict": "converged", "why": ""}');
INSERT INTO public.convoy_events VALUES (11, 1, 1040, NULL, 'ended', '{"verdict": "converged", "reason": ""}');
INSERT INTO public.convoy_events VALUES (12, 2, 2000, NULL, 'opened', '{"version": "2.0", "cause": "it''s time; really"}');
INSERT INTO public.convoy_events VALUES (13, 2, 2002, 'web1', 'leaving', '{"verdict": null, "why": ""}');
INSERT INTO public.convoy_events VALUES (14, 2, 2003, 'web1', 'drained', '{"verdict": null, "why": ""}');


--
-- Data for Name: convoy_hosts; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.convoy_hosts VALUES (1, 'web1', 0, 'back', 'converged', '', 1, 1005);
INSERT INTO public.convoy_hosts VALUES (1, 'web2', 1, 'back', 'converged', '', 1, 1015);
INSERT INTO public.convoy_hosts VALUES (1, 'web3', 2, 'back', 'converged', '', 1, 1025);
INSERT INTO public.convoy_hosts VALUES (2, 'web2', 1, 'planned', NULL, '', 0, 2000);
INSERT INTO public.convoy_hosts VALUES (2, 'web3', 2, 'planned', NULL, '', 0, 2000);
INSERT INTO public.convoy_hosts VALUES (2, 'web1', 0, 'drained', NULL, '', 1, 2003);


--
-- Data for Name: convoy_leases; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.convoy_leases VALUES ('web', 2, 2, '{"user": "ann", "node": "elsewhere.example", "pid": 4711, "born": "123456"}', 2903);


--
-- Data for Name: convoy_rollouts; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.convoy_rollouts VALUES (1, 'web', '1.9', 'sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 'the first one', 'ann on elsewhere.example, process 4711', '{"app": "web", "version": "1.9", "batches": [["web1"], ["web2"], ["web3"]], "skipped": {}, "held": {}, "unreachable": {}, "limit": 1, "floors": {"lb1/web": 2}, "sums": ["the fleet: 1 of 3, so 1 at a time", "lb1/web: 1 of 3, so 1 at a time; floor 2"], "deployed": []}', 1000, 1025, '', 1040, 'converged', '');
INSERT INTO public.convoy_rollouts VALUES (2, 'web', '2.0', 'sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb', 'it''s time; really', 'ann on elsewhere.example, process 4711', '{"app": "web", "version": "2.0", "batches": [["web1"], ["web2"], ["web3"]], "skipped": {}, "held": {}, "unreachable": {}, "limit": 1, "floors": {"lb1/web": 2}, "sums": ["the fleet: 1 of 3, so 1 at a time", "lb1/web: 1 of 3, so 1 at a time; floor 2"], "deployed": []}', 2000, 2000, '', NULL, NULL, '');


--
-- Data for Name: convoy_views; Type: TABLE DATA; Schema: public; Owner: -
--

INSERT INTO public.convoy_views VALUES (1, 'lb1/web', 1025, '[{"balancer": "lb1", "pool": "web", "name": "web1", "host": "web1", "admin": "ready", "in_service": true, "weight": 10, "status": "", "initial_weight": null, "agent": null, "follows": null, "alone": false}, {"balancer": "lb1", "pool": "web", "name": "web2", "host": "web2", "admin": "ready", "in_service": true, "weight": 10, "status": "", "initial_weight": null, "agent": null, "follows": null, "alone": false}, {"balancer": "lb1", "pool": "web", "name": "web3", "host": "web3", "admin": "ready", "in_service": true, "weight": 10, "status": "", "initial_weight": null, "agent": null, "follows": null, "alone": false}]');
INSERT INTO public.convoy_views VALUES (2, 'lb1/web', 2003, '[{"balancer": "lb1", "pool": "web", "name": "web1", "host": "web1", "admin": "maintenance", "in_service": false, "weight": 10, "status": "", "initial_weight": null, "agent": null, "follows": null, "alone": false}, {"balancer": "lb1", "pool": "web", "name": "web2", "host": "web2", "admin": "ready", "in_service": true, "weight": 10, "status": "", "initial_weight": null, "agent": null, "follows": null, "alone": false}, {"balancer": "lb1", "pool": "web", "name": "web3", "host": "web3", "admin": "ready", "in_service": true, "weight": 10, "status": "", "initial_weight": null, "agent": null, "follows": null, "alone": false}]');


--
-- Name: convoy_about_version_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.convoy_about_version_seq', 1, false);


--
-- Name: convoy_events_number_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.convoy_events_number_seq', 14, true);


--
-- Name: convoy_rollouts_number_seq; Type: SEQUENCE SET; Schema: public; Owner: -
--

SELECT pg_catalog.setval('public.convoy_rollouts_number_seq', 2, true);


--
-- Name: convoy_about convoy_about_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.convoy_about
    ADD CONSTRAINT convoy_about_pkey PRIMARY KEY (version);


--
-- Name: convoy_absences convoy_absences_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.convoy_absences
    ADD CONSTRAINT convoy_absences_pkey PRIMARY KEY (app, host);


--
-- Name: convoy_events convoy_events_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.convoy_events
    ADD CONSTRAINT convoy_events_pkey PRIMARY KEY (number);


--
-- Name: convoy_hosts convoy_hosts_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.convoy_hosts
    ADD CONSTRAINT convoy_hosts_pkey PRIMARY KEY (rollout, host);


--
-- Name: convoy_leases convoy_leases_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.convoy_leases
    ADD CONSTRAINT convoy_leases_pkey PRIMARY KEY (app);


--
-- Name: convoy_rollouts convoy_rollouts_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.convoy_rollouts
    ADD CONSTRAINT convoy_rollouts_pkey PRIMARY KEY (number);


--
-- Name: convoy_views convoy_views_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.convoy_views
    ADD CONSTRAINT convoy_views_pkey PRIMARY KEY (rollout, place);


--
-- Name: ix_convoy_events_rollout; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_convoy_events_rollout ON public.convoy_events USING btree (rollout);


--
-- Name: ix_convoy_rollouts_app; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX ix_convoy_rollouts_app ON public.convoy_rollouts USING btree (app);


--
-- PostgreSQL database dump complete
--

\unrestrict Zr2OowX3lyfcCNYpZfLON6zO9g0ggQacGMq9f53CcLeTjXVdztJ1he8KV5WwtFY

