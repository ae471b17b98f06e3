{{/* What the program reads as EXEUNT_CONFIG: the operator's `config` as it is. Never a secret: the values schema refuses those. */}}
{{- define "exeunt.config" -}}
{{- if .Values.config -}}
{{- toYaml .Values.config -}}
{{- else -}}
# Nothing is set: the program has its defaults.
{{- end -}}
{{- end -}}

{{/* Seconds that running attempts get to end in after SIGTERM. 20 is the program's own default. */}}
{{- define "exeunt.drainSeconds" -}}
{{- $dispatch := default (dict) (get .Values.config "dispatch") -}}
{{- if hasKey $dispatch "drainSeconds" -}}{{- get $dispatch "drainSeconds" | int -}}{{- else -}}20{{- end -}}
{{- end -}}

{{/* The pod may not be killed before it has drained: wait before SIGTERM + drain + 10 s to close what is open. */}}
{{- define "exeunt.terminationGracePeriodSeconds" -}}
{{- add (.part.preStopSeconds | int) (include "exeunt.drainSeconds" .root | int) 10 -}}
{{- end -}}

{{- define "exeunt.podSecurityContext" -}}
runAsNonRoot: true
{{- with get .Values.podSecurityContext "runAsUser" }}
runAsUser: {{ . | int64 }}
{{- end }}
{{- with get .Values.podSecurityContext "runAsGroup" }}
runAsGroup: {{ . | int64 }}
{{- end }}
{{- with get .Values.podSecurityContext "fsGroup" }}
fsGroup: {{ . | int64 }}
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* Fits the "restricted" Pod Security Standard, with a root file system that cannot be written besides. */}}
{{- define "exeunt.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "exeunt.volumes" -}}
- name: config
  configMap:
    name: {{ .configMap }}
- name: tmp
  emptyDir:
    sizeLimit: {{ .root.Values.tmpSizeLimit }}
{{- with .root.Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "exeunt.volumeMounts" -}}
- name: config
  mountPath: /etc/exeunt
  readOnly: true
- name: tmp
  mountPath: /tmp
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Where a pod may run. */}}
{{- define "exeunt.placement" -}}
{{- $part := .part -}}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $part.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $part.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $part.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $part.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* The Deployment of one role: (dict "root" $ "component" "api" "part" .Values.api). */}}
{{- define "exeunt.deployment" -}}
{{- include "exeunt.checkSecrets" .root -}}
{{- $root := .root -}}
{{- $values := .root.Values -}}
{{- $secret := include "exeunt.secretName" .root -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "exeunt.fullname" .root }}-{{ .component }}
  labels:
    {{- include "exeunt.labels" . | nindent 4 }}
spec:
  {{- if not .part.autoscaling.enabled }}
  replicas: {{ .part.replicas }}
  {{- end }}
  revisionHistoryLimit: 3
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxSurge: 1
      maxUnavailable: 0
  selector:
    matchLabels:
      {{- include "exeunt.selectorLabels" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "exeunt.labels" . | nindent 8 }}
        {{- with .part.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      annotations:
        checksum/config: {{ include "exeunt.config" .root | sha256sum }}
        {{- if not $values.secrets.existingSecret }}
        checksum/secret: {{ $values.secrets.inline | toJson | sha256sum }}
        {{- end }}
        {{- with .part.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      serviceAccountName: {{ include "exeunt.serviceAccountName" .root }}
      automountServiceAccountToken: false
      # The variables of service links (EXEUNT_PORT=tcp://...) would mix with the program's own.
      enableServiceLinks: false
      terminationGracePeriodSeconds: {{ include "exeunt.terminationGracePeriodSeconds" . }}
      securityContext:
        {{- include "exeunt.podSecurityContext" .root | nindent 8 }}
      {{- with include "exeunt.placement" . | trim }}
      {{- . | nindent 6 }}
      {{- end }}
      {{- if $values.topologySpread.enabled }}
      topologySpreadConstraints:
        {{- range $values.topologySpread.topologyKeys }}
        - topologyKey: {{ . }}
          maxSkew: {{ $values.topologySpread.maxSkew }}
          whenUnsatisfiable: {{ $values.topologySpread.whenUnsatisfiable }}
          labelSelector:
            matchLabels:
              {{- include "exeunt.selectorLabels" $ | nindent 14 }}
        {{- end }}
      {{- end }}
      containers:
        - name: exeunt
          image: {{ include "exeunt.image" .root | quote }}
          imagePullPolicy: {{ $values.image.pullPolicy }}
          command: [node, dist/main.js]
          securityContext:
            {{- include "exeunt.containerSecurityContext" .root | nindent 12 }}
          env:
            - name: EXEUNT_ROLE
              value: {{ .component }}
            - name: EXEUNT_CONFIG
              value: /etc/exeunt/exeunt.yaml
            - name: EXEUNT_DATA_DIR
              value: /tmp/exeunt
            - name: HOST
              value: {{ $values.bindAddress | quote }}
            - name: PORT
              value: {{ $values.containerPort | quote }}
            {{- with $values.publicUrl }}
            - name: PUBLIC_URL
              value: {{ . | quote }}
            {{- end }}
            {{- include "exeunt.secretVariable" (dict "variable" "DATABASE_URL" "secret" $secret "key" $values.secrets.keys.databaseUrl) | nindent 12 }}
            {{- if eq $values.queue.backend "redis" }}
            {{- include "exeunt.secretVariable" (dict "variable" "REDIS_URL" "secret" $secret "key" $values.secrets.keys.redisUrl) | nindent 12 }}
            {{- end }}
            {{- include "exeunt.secretVariable" (dict "variable" "EXEUNT_MASTER_KEY" "secret" $secret "key" $values.secrets.keys.masterKey) | nindent 12 }}
            {{- include "exeunt.secretVariable" (dict "variable" "EXEUNT_ADMIN_TOKEN" "secret" $secret "key" $values.secrets.keys.adminToken) | nindent 12 }}
            {{- with $values.extraEnv }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          ports:
            - name: http
              containerPort: {{ $values.containerPort }}
              protocol: TCP
          # Alive is not ready: a database that is away must not restart every pod.
          startupProbe:
            httpGet: { path: /healthz, port: http }
            periodSeconds: 2
            timeoutSeconds: 2
            failureThreshold: {{ $values.probes.startupFailureThreshold }}
          livenessProbe:
            httpGet: { path: /healthz, port: http }
            periodSeconds: 10
            timeoutSeconds: {{ $values.probes.timeoutSeconds }}
            failureThreshold: 3
          readinessProbe:
            httpGet: { path: /readyz, port: http }
            periodSeconds: 5
            timeoutSeconds: {{ $values.probes.timeoutSeconds }}
            failureThreshold: 2
          {{- if .part.preStopSeconds }}
          lifecycle:
            preStop:
              # Until every proxy has heard that this pod is going.
              exec:
                command: [sleep, {{ .part.preStopSeconds | quote }}]
          {{- end }}
          resources:
            {{- toYaml .part.resources | nindent 12 }}
          volumeMounts:
            {{- include "exeunt.volumeMounts" .root | nindent 12 }}
      volumes:
        {{- include "exeunt.volumes" (dict "root" .root "configMap" (include "exeunt.fullname" .root)) | nindent 8 }}
{{- end -}}
