{{/* Where the secrets are: exactly one of an existing Secret and inline values. Prints nothing, fails with the reason. */}}
{{- define "exeunt.checkSecrets" -}}
{{- $inline := .Values.secrets.inline -}}
{{- $given := list -}}
{{- range $name := list "databaseUrl" "redisUrl" "masterKey" "adminToken" -}}
{{- if get $inline $name -}}{{- $given = append $given $name -}}{{- end -}}
{{- end -}}
{{- if .Values.secrets.existingSecret -}}
{{- if $given -}}
{{- fail (printf "secrets: existingSecret is %q, and secrets.inline has %s too. Set one of the two." .Values.secrets.existingSecret (join ", " $given)) -}}
{{- end -}}
{{- else -}}
{{- $wanted := list "databaseUrl" "masterKey" "adminToken" -}}
{{- if eq .Values.queue.backend "redis" -}}{{- $wanted = append $wanted "redisUrl" -}}{{- end -}}
{{- $missing := list -}}
{{- range $name := $wanted -}}
{{- if not (has $name $given) -}}{{- $missing = append $missing $name -}}{{- end -}}
{{- end -}}
{{- if not $given -}}
{{- fail "secrets.existingSecret is empty: name a Secret with DATABASE_URL, EXEUNT_MASTER_KEY, EXEUNT_ADMIN_TOKEN (and REDIS_URL with queue.backend redis)." -}}
{{- else if $missing -}}
{{- fail (printf "secrets.inline lacks %s. Better: put all of them into a Secret and name it in secrets.existingSecret." (join ", " $missing)) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "exeunt.secretName" -}}
{{- default (include "exeunt.fullname" .) .Values.secrets.existingSecret -}}
{{- end -}}

{{/* One environment variable out of the Secret: (dict "variable" "DATABASE_URL" "secret" name "key" key). */}}
{{- define "exeunt.secretVariable" -}}
- name: {{ .variable }}
  valueFrom:
    secretKeyRef:
      name: {{ .secret }}
      key: {{ .key }}
{{- end -}}
